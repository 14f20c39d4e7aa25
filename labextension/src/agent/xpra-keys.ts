/** Keys as xpra's servers take them, and the session's keymap, which they set as we tell it. */
import type { IXpraClient } from './client';
import { Keymap, lettersOf } from './keymap';
import type { Modifier } from './keys';
import { nameOf } from './keysyms';
import { isOld } from './methods';
import { tell } from './page';
import { agent } from './state';
import { Strokes, type IKeyWire, type IStroke } from './strokes';

/** X's names of the modifiers, as our keymap has them. */
const X_NAMES: ReadonlyMap<string, string> = new Map<Modifier, string>([
  ['shift', 'shift'],
  ['control', 'control'],
  ['alt', 'mod1'],
  ['meta', 'mod4'],
]);

const MEANINGS = {
  Shift_L: 'shift',
  Shift_R: 'shift',
  Control_L: 'control',
  Control_R: 'control',
  Alt_L: 'mod1',
  Alt_R: 'mod1',
  Meta_L: 'mod1',
  Super_L: 'mod4',
  Super_R: 'mod4',
  Caps_Lock: 'lock',
  Num_Lock: 'mod2',
};

/** [number (unused), name, keycode, group, level] of each symbol. */
function keycodes(keymap: Keymap): [number, string, number, number, number][] {
  return keymap.keys.flatMap(([keycode, symbols]) =>
    symbols.map((symbol, level): [number, string, number, number, number] => [
      0,
      nameOf(symbol),
      keycode,
      0,
      level,
    ]),
  );
}

/** The keymap as the hello of this client's version tells it: a whole one, which the server sets key by key. */
export function keymapCaps(keymap: Keymap, old: boolean, hold: boolean): Record<string, unknown> {
  if (old) {
    return {
      xkbmap_layout: 'us',
      xkbmap_variant: '',
      xkbmap_print: '',
      xkbmap_query: 'qconnect', // any text: without it symbols are looked up, never added
      xkbmap_mod_meanings: MEANINGS,
      xkbmap_keycodes: keycodes(keymap),
      keyboard_sync: hold,
    };
  }
  return {
    keymap: {
      layout: 'us',
      query_struct: { rules: 'evdev', model: 'pc105', layout: 'us' },
      x11_keycodes: new Map(keymap.keys.map(([keycode, symbols]) => [keycode, symbols.map(nameOf)])),
      keycodes: keycodes(keymap),
      mod_meanings: MEANINGS,
      sync: hold,
    },
  };
}

/** The window that has the keyboard; 0 where there is none. Newer clients call it otherwise. */
function windowInFront(client: IXpraClient): number {
  return client.topwindow ?? client.focused_wid ?? 0;
}

export class XpraKeys implements IKeyWire {
  readonly keymap = new Keymap(lettersOf(navigator.languages));
  readonly strokes = new Strokes(this, this.keymap);

  constructor(readonly hold: boolean) {}

  ready(): boolean {
    return this.able && agent.client?.capture_keyboard === true;
  }

  /** Whether there is a window that may be given keys, whoever has the keyboard. */
  get able(): boolean {
    const { client } = agent;
    return client !== null && !client.server_readonly && windowInFront(client) > 0;
  }

  remap(): void {
    const caps = keymapCaps(this.keymap, isOld(), this.hold);
    agent.client?.send(isOld() ? ['keymap-changed', caps] : ['keymap-changed', caps, true]);
  }

  send({ symbol, place, held }: IStroke, down: boolean): void {
    const { client } = agent;
    if (client) {
      const names = xNames(held);
      client.send([
        'key-action',
        windowInFront(client),
        nameOf(symbol),
        down,
        names,
        0,
        '',
        place.keycode,
        0,
      ]);
    }
  }

  /** Servers up to 6.1 ignore a keymap while there is another client. */
  readonly sealed = true;

  refuse(text: string): void {
    tell('untypable', { text });
  }

  ping(): void {
    agent.client?.send(['ping', Math.ceil(performance.now())]);
  }
}

function xNames(names: readonly string[]): string[] {
  return [...new Set(names.flatMap(name => X_NAMES.get(name) ?? []))];
}

/** What a mouse packet says of the modifiers: never the locks, of which our keymap knows nothing. */
export function mouseModifiers(names: readonly string[], mac: boolean): string[] {
  return xNames(names.map(name => (mac && name === 'meta' ? 'control' : name)));
}
