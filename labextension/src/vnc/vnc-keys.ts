/** Keys as RFB has them, and the desktop's keymap, which the door before it sets as we tell it. */
import type { Keymap } from '../agent/keymap';
import type { Modifier } from '../agent/keys';
import { keysymOf, type KeySymbol } from '../agent/keysyms';
import type { IKeyWire, IStroke } from '../agent/strokes';

/** What is needed of a desktop's connection. */
export interface IDesktopLine {
  ready(): boolean;
  sendKey(keysym: number, down: boolean): void;
  /** Says something to the door. */
  say(words: string): void;
  ping(): void;
}

/** The key that stands for a modifier which is not held by one of its own. */
const KEYS: readonly (readonly [modifier: Modifier, left: KeySymbol, right: KeySymbol])[] = [
  ['control', 'Control_L', 'Control_R'],
  ['alt', 'Alt_L', 'Alt_R'],
  ['meta', 'Super_L', 'Super_R'],
];

export class VncKeys implements IKeyWire {
  constructor(private readonly _line: IDesktopLine) {}

  /** The door takes every keymap. */
  readonly sealed = false;

  refuse(): void {
    // never: it is not sealed
  }

  ready(): boolean {
    return this._line.ready();
  }

  /** The seats alone: all else is in the map of any X server for a PC. */
  remap(keymap: Keymap): void {
    const seats = keymap.seats.map(([keycode, symbols]) => [keycode, ...symbols.map(keysymOf)]);
    this._line.say(JSON.stringify({ keymap: seats }));
  }

  /** The server knows by itself which characters take Shift; all other modifiers are as the key wants them. */
  send({ symbol, held }: IStroke, down: boolean): void {
    const keysym = keysymOf(symbol);
    if (keysym === null) {
      return;
    }
    if (/_[LR]$/.test(symbol)) {
      this._note(symbol, down);
      this._line.sendKey(keysym, down);
      return;
    }
    const changes = down ? this._changes(held) : [];
    changes.forEach(([key, wanted]) => this._press(key, wanted));
    this._line.sendKey(keysym, down);
    changes.reverse().forEach(([key, wanted]) => this._press(key, !wanted));
  }

  ping(): void {
    this._line.ping();
  }

  /** The modifiers' keys that go down or up for a key that wants these: [key, whether down]. */
  private _changes(held: readonly Modifier[]): [KeySymbol, boolean][] {
    return KEYS.flatMap(([modifier, left, right]): [KeySymbol, boolean][] => {
      const down = [left, right].filter(key => this._down.has(key));
      if (held.includes(modifier)) {
        return down.length ? [] : [[left, true]];
      }
      return down.map(key => [key, false]);
    });
  }

  private _press(key: KeySymbol, down: boolean): void {
    const keysym = keysymOf(key);
    if (keysym !== null) {
      this._line.sendKey(keysym, down);
    }
  }

  private _note(key: KeySymbol, down: boolean): void {
    if (down) {
      this._down.add(key);
    } else {
      this._down.delete(key);
    }
  }

  private readonly _down = new Set<KeySymbol>();
}
