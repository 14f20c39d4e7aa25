/** Speaks with the viewer page around this one; in the frame of an xpra client and of noVNC alike. */
import { eventMessage, readCommand, type Command, type ICommands, type IEvents } from '../viewer/messages';

export const opaque = self.origin === 'null';

/** Tells the page around this one. */
export function tell<E extends keyof IEvents>(event: E, data: IEvents[E]): void {
  window.parent.postMessage(eventMessage(event, data), '*');
}

/** The longest text (characters) of a program's clipboard that is told. */
const COPIED_LIMIT = 1 << 20;

/** Tells what the program put on its clipboard. */
export function tellCopied(text: string): void {
  tell('copied', { text: text.slice(0, COPIED_LIMIT) });
}

/** What to do at each command. */
export type Deeds = { readonly [C in keyof ICommands]: (data: ICommands[C]) => void };

/** Does what the page around this one says. */
export function obey(deeds: Deeds): void {
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    const command = event.source === window.parent ? readCommand(event.data) : null;
    if (command) {
      carryOut(deeds, command);
    }
  });
}

function carryOut(deeds: Deeds, { name, data }: Command): void {
  (deeds[name] as (data: Command['data']) => void)(data);
}

/**
 * The client's parameters come in the fragment of the URL, so that its page is cached under one address. They are
 * moved into the query, where every version of the client looks for them, before its scripts run.
 */
export function takeParameters(): URLSearchParams {
  if (location.hash.length > 1) {
    history.replaceState(null, '', `${location.pathname}?${location.hash.slice(1)}`);
  }
  return new URLSearchParams(location.search);
}
