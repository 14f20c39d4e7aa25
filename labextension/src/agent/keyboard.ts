/** The keyboard of xpra's client: its own handling goes, ours comes; who has it, the program or the page around. */
import type { IXpraClient, XpraClientClass } from './client';
import { platformOf, type Modifier } from './keys';
import type { KeySymbol } from './keysyms';
import { isOld, wrap } from './methods';
import { tell } from './page';
import { agent } from './state';
import { isTerminal } from './terminals';
import { Typist } from './typist';
import { keymapCaps, mouseModifiers, XpraKeys } from './xpra-keys';

const FIELD = 'pasteboard';
let keys: XpraKeys | null = null;
let typist: Typist | null = null;

export function takeKeyboard(): void {
  if (agent.client) {
    agent.client.capture_keyboard = true;
    window.focus();
    document.getElementById(FIELD)?.focus({ preventScroll: true });
    keys?.strokes.renew();
  }
}

export function releaseKeyboard(): void {
  typist?.release();
  if (agent.client) {
    agent.client.capture_keyboard = false; // its own blur handler would take the focus back
  }
  if (document.activeElement instanceof HTMLElement) {
    document.activeElement.blur();
  }
}

/** Whether others see the display, too. */
export function setCompany(on: boolean): void {
  if (keys) {
    keys.strokes.company = on;
  }
}

/** Strikes a key for which the user's own keyboard is not asked, together with `held`. */
export function strikeKey(symbol: KeySymbol, held: readonly Modifier[]): void {
  if (keys?.able) {
    keys.strokes.strike(symbol, 'tap', held);
  }
}

/** Puts our keyboard in the place of the client's. `hold`: keys stay down for as long as the user holds them. */
export function takeOverKeyboard(Client: XpraClientClass, hold: boolean): void {
  const own = new XpraKeys(hold);
  keys = own;
  wrap(Client, 'init_keyboard', client => {
    client.capture_keyboard = true;
    const field = document.getElementById(FIELD);
    if (field instanceof HTMLTextAreaElement) {
      typist = new Typist(field, own.strokes, {
        hold,
        terminal: inTerminal,
        chord: (symbol, mods) => onChord(client, symbol, mods),
      });
    }
  });
  wrap(Client, 'send_keymap', () => own.remap()); // newer clients send their own once more after the hello
  wrap(Client, 'translate_modifiers', (_client, [names = []]) =>
    mouseModifiers(names.map(String), platformOf(navigator.userAgent) === 'mac'),
  );
  wrap(Client, '_make_hello', (client, _args, inner) => {
    const result = inner();
    tellCaps(client, keymapCaps(own.keymap, isOld(), hold));
    return result;
  });
  wrap(Client, '_process_ping_echo', (_client, _args, inner) => {
    own.strokes.echo();
    return inner();
  });
}

function tellCaps(client: IXpraClient, caps: Record<string, unknown>): void {
  if (client._update_capabilities) {
    client._update_capabilities(caps);
  } else {
    Object.assign(client.capabilities, caps);
  }
}

/** What was copied elsewhere goes before a chord that may paste it. */
function onChord(client: IXpraClient, symbol: KeySymbol, held: readonly Modifier[]): void {
  client._poll_clipboard?.({ type: 'key' });
  if (symbol === 'v' && held.join() === 'control' && inTerminal()) {
    tell('mispasted', {});
  }
}

function inTerminal(): boolean {
  const window = agent.client?.id_to_window[agent.client.focus];
  return isTerminal(window?.metadata?.['class-instance']);
}

/**
 * The client takes the focus back whenever its field loses it, also when the user went to the page around. Only once
 * the focus has arrived somewhere is it known where it went.
 */
function onBlur(event: FocusEvent): void {
  const { target } = event;
  if (!(target instanceof HTMLElement) || target.id !== FIELD) {
    return;
  }
  event.stopImmediatePropagation();
  setTimeout(() => {
    if (document.hasFocus() && agent.client?.capture_keyboard) {
      target.focus({ preventScroll: true });
    }
  });
}

/**
 * The client's page takes the focus when it loads, also from the page around it, where the user may be typing: in
 * JupyterLab's terminal, say. Its scripts may only move a focus that is in this frame.
 */
export function keepFocusInside(): void {
  wrap(HTMLElement, 'focus', (_element, _args, inner) => (document.hasFocus() ? inner() : undefined));
  window.addEventListener('blur', onBlur, true);
  window.addEventListener('focusout', onBlur, true);
}
