/** Joins a display's client, xpra's or noVNC, to the viewer page around it: the same words, entry and faults for both. */
import { readBrowser } from '../viewer/browser-clipboard';
import { watchEntry, watchWork } from './entry';
import { isModifier, type Modifier } from './keys';
import type { KeySymbol } from './keysyms';
import { obey, tell } from './page';

/** What the page can have a client do. */
export interface IDisplayClient {
  readonly connected: boolean;
  /** Whether it sends no keys, clicks or clipboard. */
  readonly readonly: boolean;
  /** The text that the program's clipboard and the browser's last had in common. */
  readonly clipboard: string;
  /** Connects, for the first time or once more. */
  connect(): void;
  ping(): void;
  /** Lets go of the connection; the last picture stays. */
  leave(): void;
  takeKeyboard(): void;
  releaseKeyboard(): void;
  /** Whether others see the same display, who may change its keymap or keep it from changing. */
  setCompany(on: boolean): void;
  /** Strikes a key, together with modifiers. */
  strikeKey(symbol: KeySymbol, held: readonly Modifier[]): void;
  setReadonly(on: boolean): void;
  setSuspended(on: boolean): void;
  /** Puts text on the program's clipboard. */
  paste(text: string): void;
}

/** What was copied elsewhere is offered when the user comes back, not only at the first key. */
async function freshen(client: IDisplayClient): Promise<void> {
  const text = client.connected && !client.readonly ? await readBrowser() : null;
  if (text && text !== client.clipboard) {
    client.paste(text);
  }
}

/** Has the client do what the page says, and tells the page what the user does. */
export function join(client: IDisplayClient): void {
  const take = (): void => {
    if (!client.readonly) {
      client.takeKeyboard();
      void freshen(client);
    }
  };
  const release = (): void => client.releaseKeyboard();
  watchWork();
  watchEntry(take, release);
  obey({
    go: () => client.connect(),
    ping: () => client.ping(),
    focus: take,
    release,
    readonly: ({ on }) => {
      client.setReadonly(on);
      if (on) {
        release();
      }
    },
    suspend: ({ on }) => client.setSuspended(on),
    paste: ({ text }) => client.paste(text),
    company: ({ on }) => client.setCompany(on),
    strike: ({ symbol, held }) => client.strikeKey(symbol, held.filter(isModifier)),
    leave: () => client.leave(),
  });
  reportFaults();
}

/** Tells the page, for its log, what went wrong and what the policy stopped. */
function reportFaults(): void {
  window.addEventListener('error', ({ message }) => {
    if (!message.startsWith('ResizeObserver loop')) {
      tell('error', { message: message.slice(0, 200) }); // that one only says: once more in the next frame
    }
  });
  document.addEventListener('securitypolicyviolation', event => {
    const where = `${event.sourceFile.slice(-40)}:${event.lineNumber}`;
    tell('csp', { what: `${event.violatedDirective} ${where}` });
  });
}
