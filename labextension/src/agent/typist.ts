/**
 * Hears what the user types into a hidden field of the page, and has it sent: text as the field gets it, so that dead
 * keys, input methods, emoji panels and phones are all one path; everything else by key.
 */
import { meaningOf, modifierOf, platformOf, type IPress, type Meaning, type Modifier } from './keys';
import { isCharacter, type KeySymbol } from './keysyms';
import type { Strokes } from './strokes';
import { dressField, emptyField } from './typing-field';

/** How long (ms) Control may turn out to be the first half of what AltGr is on Windows. */
const ALTGR_MS = 30;

/** What input methods and phones say instead of a key. */
const DEEDS: Partial<Record<string, KeySymbol>> = {
  insertLineBreak: 'Return',
  insertParagraph: 'Return',
  deleteContentBackward: 'BackSpace',
  deleteWordBackward: 'BackSpace',
  deleteContentForward: 'Delete',
};

const MODIFIERS: readonly (readonly [prefix: string, modifier: Modifier])[] = [
  ['Shift', 'shift'],
  ['Control', 'control'],
  ['Alt', 'alt'],
  ['Super', 'meta'],
];

export interface ITyping {
  /** Whether keys stay down for as long as the user holds them, as games want. */
  hold: boolean;
  /** What is about to be sent: a chord is told before. */
  chord: (symbol: KeySymbol, held: readonly Modifier[]) => void;
  /** Whether Control with C, X, V and A are Shift's as well: on a Mac, Command means them in terminals. */
  terminal: () => boolean;
}

export class Typist {
  constructor(
    private readonly _field: HTMLTextAreaElement,
    private readonly _strokes: Strokes,
    private readonly _typing: ITyping,
  ) {
    dressField(_field);
    const first = { capture: true };
    window.addEventListener('keydown', event => this._keydown(event), first);
    window.addEventListener('keyup', event => this._keyup(event), first);
    window.addEventListener('blur', () => this.release(), first);
    document.addEventListener('visibilitychange', () => this._hidden());
    _field.addEventListener('beforeinput', event => this._beforeInput(event), first);
    _field.addEventListener('input', event => this._input(event as InputEvent), first);
    _field.addEventListener('compositionend', event => this._composed(event), first);
  }

  /** Lets go of everything that is held. */
  release(): void {
    this._disarm();
    const held = [...this._down].reverse();
    this._down.clear();
    held.forEach(symbol => this._strokes.strike(symbol, 'up', []));
    const pressed = [...this._pressed.values()];
    this._pressed.clear();
    pressed.forEach(symbol => this._strokes.strike(symbol, 'up', []));
  }

  private _hidden(): void {
    if (document.hidden) {
      this.release();
    }
  }

  private _keydown(event: KeyboardEvent): void {
    if (!this._strokes.ready()) {
      return;
    }
    event.stopImmediatePropagation();
    if (document.activeElement !== this._field) {
      this._field.focus({ preventScroll: true });
    }
    const press = pressOf(event);
    const meaning = meaningOf(press, this._platform);
    if (this._isAltGr(press, meaning)) {
      return;
    }
    if (meaning.kind !== 'text' && meaning.kind !== 'leave') {
      this._keep(event, meaning);
    }
    this._last = { code: event.code, repeat: event.repeat };
    this._do(meaning, press, event.repeat);
  }

  private _do(meaning: Meaning, press: IPress, repeat: boolean): void {
    if (meaning.kind === 'modifier') {
      this._hold(meaning.symbol);
    } else if (meaning.kind === 'key') {
      this._strike(meaning.symbol, meaning.held, repeat);
    } else if (meaning.kind === 'chord') {
      this._chord(meaning.symbol, this._chordHeld(meaning.symbol, meaning.held, press), repeat);
    }
  }

  /** The browser does nothing with what goes to the program, unless that is its own copy or paste. */
  private _keep(event: KeyboardEvent, meaning: Meaning): void {
    const { kind } = meaning;
    if (kind === 'nothing' ? meaning.browser : kind === 'modifier') {
      return;
    }
    if ('clipboard' in meaning && meaning.clipboard) {
      this._strokes.yield();
    } else {
      event.preventDefault();
    }
  }

  /** On Windows AltGr is Control, followed by AltGraph at once: that Control was none. */
  private _isAltGr({ key, location }: IPress, meaning: Meaning): boolean {
    const armed = this._disarm();
    if (armed && key !== 'AltGraph') {
      this._hold(armed);
    }
    if (this._platform !== 'windows' || meaning.kind !== 'modifier' || key !== 'Control' || location !== 1) {
      return false;
    }
    this._armed = meaning.symbol;
    this._armTimer = setTimeout(() => {
      const late = this._disarm();
      if (late) {
        this._hold(late);
      }
    }, ALTGR_MS);
    return true;
  }

  private _disarm(): KeySymbol | null {
    const armed = this._armed;
    clearTimeout(this._armTimer);
    this._armed = null;
    return armed;
  }

  private _keyup(event: KeyboardEvent): void {
    event.stopImmediatePropagation();
    const armed = event.key === 'Control' ? this._disarm() : null;
    if (armed) {
      this._hold(armed);
    }
    const symbol = modifierOf(event, this._platform);
    if (symbol && this._down.delete(symbol)) {
      this._strokes.strike(symbol, 'up', this._held);
    }
    const pressed = this._pressed.get(event.code);
    if (pressed !== undefined) {
      this._pressed.delete(event.code);
      this._strokes.strike(pressed, 'up', null);
    }
  }

  private _hold(symbol: KeySymbol): void {
    if (!this._down.has(symbol)) {
      const held = this._held; // told with each: a display would let go of Shift when Control is pressed
      this._down.add(symbol);
      this._strokes.strike(symbol, 'down', held);
    }
  }

  private get _held(): Modifier[] {
    const down = [...this._down];
    return MODIFIERS.filter(([prefix]) => down.some(symbol => symbol.startsWith(prefix))).map(
      ([, name]) => name,
    );
  }

  private _chordHeld(symbol: KeySymbol, held: Modifier[], { metaKey }: IPress): Modifier[] {
    const edits = this._platform === 'mac' && metaKey && /^[acvx]$/.test(symbol);
    return edits && this._typing.terminal() ? [...held, 'shift'] : held;
  }

  private _chord(symbol: KeySymbol, held: Modifier[], repeat: boolean): void {
    // by Shift alone: Caps Lock makes no other chord
    const cased = held.includes('shift') ? symbol.toUpperCase() : symbol.toLowerCase();
    const struck = isCharacter(cased) ? cased : symbol;
    this._typing.chord(struck, held);
    this._strike(struck, held, repeat);
  }

  private _strike(symbol: KeySymbol, held: Modifier[] | null, repeat: boolean): void {
    if (repeat && this._strokes.stale) {
      return;
    }
    const { code } = this._last;
    if (!this._typing.hold || !code) {
      this._strokes.strike(symbol, 'tap', held);
      return;
    }
    const pressed = this._pressed.get(code);
    if (pressed !== undefined) {
      this._strokes.strike(pressed, 'up', held); // as a keyboard's own repeat does
    }
    this._pressed.set(code, symbol);
    this._strokes.strike(symbol, 'down', held);
  }

  private _beforeInput(event: InputEvent): void {
    if (event.isComposing || event.inputType.includes('Composition')) {
      return;
    }
    event.preventDefault();
    if (!this._strokes.ready()) {
      return;
    }
    const deed = DEEDS[event.inputType];
    if (deed) {
      this._strokes.strike(deed, 'tap', []);
    } else if (event.inputType === 'insertText' || event.inputType === 'insertReplacementText') {
      this._say(event.data ?? event.dataTransfer?.getData('text/plain') ?? '');
    }
  }

  private _say(text: string): void {
    const { repeat } = this._last;
    if (isCharacter(text)) {
      this._strike(text, null, repeat);
    } else {
      this._strokes.text(text);
    }
    this._last = { code: '', repeat: false };
  }

  private _composed(event: CompositionEvent): void {
    this._last = { code: '', repeat: false };
    if (this._strokes.ready()) {
      this._strokes.text(event.data);
    }
    emptyField(this._field);
  }

  /** The client's own handler of it would send the text once more. */
  private _input(event: InputEvent): void {
    event.stopImmediatePropagation();
    if (!event.isComposing) {
      emptyField(this._field);
    }
  }

  private readonly _platform = platformOf(navigator.userAgent);
  /** Modifiers that are down, in the order in which they went. */
  private readonly _down = new Set<KeySymbol>();
  /** With `hold`: what is down, by the key of the user's own keyboard. */
  private readonly _pressed = new Map<string, KeySymbol>();
  private _last = { code: '', repeat: false };
  private _armed: KeySymbol | null = null;
  private _armTimer: ReturnType<typeof setTimeout> | undefined;
}

function pressOf(event: KeyboardEvent): IPress {
  const { key, code, location, isComposing, shiftKey, ctrlKey, altKey, metaKey } = event;
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- nothing else says in all browsers that an input method has the key
  const { keyCode } = event;
  const altGraph = event.getModifierState('AltGraph');
  return { key, code, keyCode, location, isComposing, shiftKey, ctrlKey, altKey, metaKey, altGraph };
}
