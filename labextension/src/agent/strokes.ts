/**
 * Sends keys to a display, in their order: characters get a seat on its keymap when their turn comes, and a map is
 * changed only when programs have had the time to read what was typed with the one before.
 */
import { ROOM, type IPlace, type Keymap } from './keymap';
import { isCharacter, type KeySymbol } from './keysyms';
import type { Modifier } from './keys';

/** `tap`: down and up at once, so that nothing is held when the line stalls. */
export type Motion = 'tap' | 'down' | 'up';

/** One key as it is sent: `held` are the modifiers that count for it. */
export interface IStroke {
  symbol: KeySymbol;
  place: IPlace;
  held: readonly Modifier[];
}

/** The way to a display. */
export interface IKeyWire {
  /** Whether keys are taken now. */
  ready(): boolean;
  /** Tells the display of its keymap as it is now. */
  remap(keymap: Keymap): void;
  send(stroke: IStroke, down: boolean): void;
  /** Whether the display's keymap cannot be changed while it has other viewers. */
  readonly sealed: boolean;
  /** Tells that characters cannot be typed. */
  refuse(text: string): void;
  /** Asks for an echo; `Strokes.echo` is called when it comes. */
  ping(): void;
}

interface ITurn {
  symbols: readonly KeySymbol[];
  motion: Motion;
  /** Null for text: whatever each character takes. */
  held: readonly Modifier[] | null;
}

/** How long (ms) after the last key a map may be changed, and how much longer for each key of the last RECENT_MS. */
const QUIET_MS = 50;
const EACH_MS = 6;
const RECENT_MS = 1500;
/** How many keys are remembered for that; who types more of them in that time does so by a program. */
const REMEMBERED = 256;
/** A keymap that was told within this time (ms) is not told again only because the user comes back. */
const RENEW_MS = 10_000;
/** Who strikes no key for so long (ms) comes back with the next one. */
const PAUSE_MS = 2_000;
/** A display that has not answered for so long (ms) is sent no repeats: they would all arrive at once. */
const STALE_MS = 400;
const LINES: Partial<Record<string, KeySymbol>> = { '\n': 'Return', '\r': 'Return', '\t': 'Tab' };

export class Strokes {
  constructor(
    private readonly _wire: IKeyWire,
    private readonly _keymap: Keymap,
  ) {}

  ready(): boolean {
    return this._wire.ready();
  }

  /** Types characters; line breaks and tabs are the keys that make them. */
  text(text: string): void {
    const symbols = Array.from(text, character => LINES[character] ?? character).filter(
      symbol => symbol >= ' ',
    );
    for (let at = 0; at < symbols.length; at += ROOM) {
      this._turns.push({ symbols: symbols.slice(at, at + ROOM), motion: 'tap', held: null });
    }
    this._move();
  }

  /** Strikes one key, by its name or character, together with modifiers. */
  strike(symbol: KeySymbol, motion: Motion, held: readonly Modifier[] | null): void {
    this._turns.push({ symbols: [symbol], motion, held });
    this._move();
  }

  /** Lets what the browser does first happen first: what comes now waits for a moment. */
  yield(): void {
    this._wait(0);
  }

  /** Whether repeats would pile up; asks for an echo, if none is under way. */
  get stale(): boolean {
    const now = performance.now();
    if (this._asked === null) {
      this._asked = now;
      this._wire.ping();
    }
    return now - this._asked > STALE_MS;
  }

  echo(): void {
    this._asked = null;
  }

  /**
   * Tells the keymap once more, as somebody may have set another: a desktop's settings, `setxkbmap`, another viewer. The
   * user comes back: programs have read what was typed before.
   */
  renew(): void {
    if (this._wire.ready() && (this._company || performance.now() - this._told > RENEW_MS)) {
      this._remap();
    }
  }

  /** Others see the display, too, or do no more; who was kept from changing its keymap then can. */
  set company(on: boolean) {
    const left = this._company && !on;
    this._company = on;
    if (left && this._wire.ready()) {
      this._remap();
    }
  }

  private _remap(): void {
    this._told = performance.now();
    this._wire.remap(this._keymap);
  }

  private _move(): void {
    for (let turn = this._turns[0]; turn && !this._timer; turn = this._turns[0]) {
      const missing = turn.symbols.filter(symbol => isCharacter(symbol) && !this._keymap.has(symbol));
      if (missing.length && this._company && this._wire.sealed) {
        turn.symbols = turn.symbols.filter(symbol => !missing.includes(symbol)); // others would come of them
        this._wire.refuse(missing.join(''));
      } else if (missing.length) {
        const wait = this._quietIn();
        if (wait > 0) {
          this._wait(wait);
          return;
        }
      }
      this._turns.shift();
      if (performance.now() - (this._sent.at(-1) ?? 0) > PAUSE_MS) {
        this.renew();
      }
      if (this._keymap.admit(turn.symbols)) {
        this._remap();
      }
      this._send(turn);
    }
  }

  private _send({ symbols, motion, held }: ITurn): void {
    for (const symbol of symbols) {
      const place = this._keymap.place(symbol);
      if (place) {
        const stroke = { symbol, place, held: modifiers(symbol, place, held) };
        if (motion !== 'up') {
          this._wire.send(stroke, true);
        }
        if (motion !== 'down') {
          this._wire.send(stroke, false);
        }
        this._sent.push(performance.now());
      }
    }
    this._sent = this._sent.slice(-REMEMBERED);
  }

  /** Milliseconds until programs must have read what was sent. */
  private _quietIn(): number {
    const now = performance.now();
    this._sent = this._sent.filter(time => now - time < RECENT_MS);
    const last = this._sent.at(-1);
    return last === undefined ? 0 : last + QUIET_MS + EACH_MS * this._sent.length - now;
  }

  private _wait(milliseconds: number): void {
    this._timer ??= setTimeout(() => {
      this._timer = null;
      this._move();
    }, milliseconds);
  }

  private _company = false;
  private _turns: ITurn[] = [];
  /** When keys were sent, the last ones. */
  private _sent: number[] = [];
  private _told = performance.now();
  private _timer: ReturnType<typeof setTimeout> | null = null;
  private _asked: number | null = null;
}

/** What counts for a key: Shift goes by the character's place, whatever it takes on the user's own keyboard. */
function modifiers(
  symbol: KeySymbol,
  { shift }: IPlace,
  held: readonly Modifier[] | null,
): readonly Modifier[] {
  if (!isCharacter(symbol)) {
    return held ?? [];
  }
  const others = (held ?? []).filter(name => name !== 'shift');
  return shift || (symbol === ' ' && held?.includes('shift')) ? [...others, 'shift'] : others;
}
