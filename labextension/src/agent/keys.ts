/** What a press of a key means, whatever the layout of the keyboard and the language of the browser. */

export type Modifier = 'shift' | 'control' | 'alt' | 'meta';
export type Platform = 'mac' | 'windows' | 'other';

/** What is looked at of a KeyboardEvent; `altGraph` is getModifierState('AltGraph'). */
export interface IPress {
  key: string;
  code: string;
  keyCode: number;
  location: number;
  isComposing: boolean;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  altGraph: boolean;
}

/**
 * - `leave`: dead keys and input methods work in the field, which must see it untouched
 * - `nothing`: a key of the keyboard alone (AltGr, Caps Lock); `browser` says whether it may do something with it
 * - `modifier`, `key`: `symbol` is X's name of it
 * - `text`: the field is about to say which characters
 * - `chord`: `symbol` is a character, pressed together with `held`; `clipboard` if the browser's own deed comes first
 */
export type Meaning =
  | { kind: 'leave' | 'text' }
  | { kind: 'nothing'; browser: boolean }
  | { kind: 'modifier'; symbol: string }
  | { kind: 'key' | 'chord'; symbol: string; held: Modifier[]; clipboard: boolean };

const RIGHT = 2;
const KEYPAD = 3;
/** `keyCode` of a key that an input method has taken. */
const TAKEN = 229;

const NAMED: Partial<Record<string, string>> = {
  Enter: 'Return',
  Tab: 'Tab',
  Backspace: 'BackSpace',
  Delete: 'Delete',
  Insert: 'Insert',
  Escape: 'Escape',
  ArrowUp: 'Up',
  ArrowDown: 'Down',
  ArrowLeft: 'Left',
  ArrowRight: 'Right',
  Home: 'Home',
  End: 'End',
  PageUp: 'Prior',
  PageDown: 'Next',
  ContextMenu: 'Menu',
  Pause: 'Pause',
  ScrollLock: 'Scroll_Lock',
  PrintScreen: 'Print',
  Clear: 'Clear',
};

const ON_KEYPAD: Partial<Record<string, string>> = {
  Enter: 'KP_Enter',
  '+': 'KP_Add',
  '-': 'KP_Subtract',
  '*': 'KP_Multiply',
  '/': 'KP_Divide',
  '.': 'KP_Decimal',
  ',': 'KP_Separator',
};

/** What X calls the keys, by what browsers call them; each with `_L` or `_R`. */
const MODIFIERS = new Map([
  ['Shift', 'Shift'],
  ['Control', 'Control'],
  ['Alt', 'Alt'],
  ['Meta', 'Super'],
  ['OS', 'Super'],
]);

/** Keys that a desktop or a program there has no use for: what they do to the next key is in its character. */
const SILENT =
  /^(AltGraph|CapsLock|NumLock|Fn|FnLock|Hyper|Symbol|SymbolLock|ModeChange|Compose|Convert|NonConvert)$|Kana|Kanji|katakana$|^Hiragana|ankaku$|^Eisu$|^Alphanumeric$|^Romaji$|^H(angul|anja)Mode$/;

/** The marks on a US keyboard, for chords on layouts without Latin letters. */
const US_MARKS: Partial<Record<string, string>> = {
  Minus: '-',
  Equal: '=',
  BracketLeft: '[',
  BracketRight: ']',
  Backslash: '\\',
  Semicolon: ';',
  Quote: "'",
  Backquote: '`',
  Comma: ',',
  Period: '.',
  Slash: '/',
  IntlBackslash: '<',
};

/** The last character of the Latin alphabets. */
const LAST_LATIN = 0x24f;

export function isModifier(name: string): name is Modifier {
  return /^(shift|control|alt|meta)$/.test(name);
}

/** The platform in what the browser says of itself. */
export function platformOf(userAgent: string): Platform {
  return /Macintosh|iPhone|iPad/.test(userAgent)
    ? 'mac'
    : userAgent.includes('Windows')
      ? 'windows'
      : 'other';
}

/** Command is a Mac's Control: both are the program's Control. Option types characters there. */
export function modifierOf(
  { key, location }: Pick<IPress, 'key' | 'location'>,
  platform: Platform,
): string | null {
  const name = MODIFIERS.get(key);
  if (!name || (platform === 'mac' && key === 'Alt')) {
    return null;
  }
  return `${platform === 'mac' && name === 'Super' ? 'Control' : name}_${location === RIGHT ? 'R' : 'L'}`;
}

/** What is held together with this press. AltGr is no modifier for the program, nor is what Windows makes of it. */
export function heldOf(press: IPress, platform: Platform): Modifier[] {
  const { shiftKey, ctrlKey, altKey, metaKey, altGraph } = press;
  const held: Modifier[] = [];
  if (shiftKey) {
    held.push('shift');
  }
  if ((ctrlKey && !(altGraph && platform === 'windows')) || (metaKey && platform === 'mac')) {
    held.push('control');
  }
  if (altKey && !altGraph) {
    held.push('alt');
  }
  if (metaKey && platform !== 'mac') {
    held.push('meta');
  }
  return held;
}

/** The character that the key has on a US keyboard; null for one that has none. */
function usCharacter({ code, shiftKey }: IPress): string | null {
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter) {
    return shiftKey ? letter : letter.toLowerCase();
  }
  return /^Digit(\d)$/.exec(code)?.[1] ?? US_MARKS[code] ?? null;
}

function keypad({ key, location }: IPress): string | null {
  if (location !== KEYPAD) {
    return null;
  }
  return /^\d$/.test(key) ? `KP_${key}` : (ON_KEYPAD[key] ?? null);
}

function named(key: string): string | null {
  return /^F([1-9]|1[0-2])$/.test(key) ? key : (NAMED[key] ?? null);
}

export function meaningOf(press: IPress, platform: Platform): Meaning {
  const { key, keyCode, isComposing } = press;
  if (isComposing || keyCode === TAKEN || /^(Process|Dead|Unidentified)$/.test(key)) {
    return { kind: 'leave' };
  }
  const modifier = modifierOf(press, platform);
  if (modifier) {
    return { kind: 'modifier', symbol: modifier };
  }
  if (SILENT.test(key) || key === 'Alt') {
    return { kind: 'nothing', browser: !/^(Caps|Num)Lock$/.test(key) };
  }
  const held = heldOf(press, platform);
  const symbol = keypad(press) ?? named(key);
  if (symbol) {
    const clipboard = symbol === 'Insert' && held.some(name => name === 'shift' || name === 'control');
    return { kind: 'key', symbol, held, clipboard };
  }
  return Array.from(key).length === 1
    ? characterOf(press, held, platform)
    : { kind: 'nothing', browser: true };
}

function characterOf(press: IPress, held: Modifier[], platform: Platform): Meaning {
  const pressed = held.filter(name => name !== 'shift' && !(name === 'alt' && platform === 'mac'));
  if (!pressed.length) {
    return { kind: 'text' };
  }
  const { key } = press;
  const latin = (key.codePointAt(0) ?? 0) <= LAST_LATIN;
  const symbol = latin ? key : (usCharacter(press) ?? key);
  return { kind: 'chord', symbol, held, clipboard: pressed.includes('control') && /^[cxv]$/i.test(symbol) };
}
