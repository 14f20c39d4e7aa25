/**
 * The keymap of a display, which is the client's own: a US keyboard, and every other character on a seat, which is one
 * of the keycodes that no key of a PC has. What is not seated from the beginning takes the seat that was idle for longest.
 */
import { isCharacter, keycodeOf, NAMES, type KeySymbol } from './keysyms';

/** Where a symbol lies: on which key, and whether on its second level. */
export interface IPlace {
  keycode: number;
  shift: boolean;
}

/** The characters of a US keyboard in rows of keys; each key's two levels. */
const ROWS: readonly (readonly [first: number, keys: string])[] = [
  [10, '1! 2@ 3# 4$ 5% 6^ 7& 8* 9( 0) -_ =+'],
  [24, 'qQ wW eE rR tT yY uU iI oO pP [{ ]}'],
  [38, 'aA sS dD fF gG hH jJ kK lL ;: \'" `~'],
  [51, '\\| zZ xX cC vV bB nN mM ,< .> /?'],
];
const SPACE = 65;

/** Keycodes without a key in X's pc105 first; `KEPT` of the others stay free, as old servers stumble when all are taken. */
const IDLE: readonly number[] = [
  8, 93, 97, 103, 109, 120, 126, 132, 149, 154, 168, 178, 183, 184, 187, 188, 194, 195, 196, 197, 198, 199,
  200, 201, 202, 217, 219, 222, 227, 230, 239, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 251,
  252, 253, 254, 255,
];
const KEPT = 11;

/** Keycodes that X counts among the modifiers, though no keyboard has them. */
const SILENT: readonly number[] = [92, 203, 204, 206, 207];

/** Always seated: Latin-1 with what German, French and typographers add to it, in pairs of two levels. */
const LATIN: readonly string[] = [
  'äÄ öÖ üÜ ßẞ éÉ èÈ êÊ ëË àÀ áÁ âÂ ãÃ åÅ æÆ çÇ íÍ ìÌ îÎ ïÏ ñÑ óÓ òÒ ôÔ õÕ øØ úÚ ùÙ ûÛ ýÝ ÿŸ þÞ ðÐ œŒ',
  '€£ §° µ² ³¹ «» ¡¿ ¢¥ ¦¤ ©® ¬¯ ªº ±· ¸¼ ½¾ ¶× ÷´ ¨– —‘ ’“ ”„ ‚… •™ †',
].flatMap(line => line.split(' '));

/** The letters that an alphabet adds, by the language's two letters. */
const ALPHABETS: Partial<Record<string, string>> = {
  ru: 'абвгдежзийклмнопрстуфхцчшщъыьэюяё№₽',
  uk: 'абвгдежзийклмнопрстуфхцчшщьюяєіїґ',
  el: 'αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ',
  pl: 'ąćęłńśźż',
  cs: 'čďěňřšťůž',
  sk: 'čďĺľňŕšťž',
  tr: 'ğışİ',
  hu: 'őű',
  ro: 'ăâîșț',
  hr: 'čćđšž',
};
/** So many characters can always be seated at once, whatever the user's languages. */
export const ROOM = 24;

/** The letters of these languages (`ru-RU`). */
export function lettersOf(languages: readonly string[]): string {
  return languages.map(name => ALPHABETS[name.slice(0, 2)] ?? '').join('');
}

/** The two levels of a letter's key: small and large, where it has both. */
function pairOf(character: string): [string, string] {
  const [small, large] = [character.toLowerCase(), character.toUpperCase()];
  return isCharacter(small) && isCharacter(large) ? [small, large] : [character, character];
}

export class Keymap {
  /** `letters` are seated from the beginning, as far as there is room. */
  constructor(letters = '') {
    for (const [first, keys] of ROWS) {
      keys.split(' ').forEach((pair, index) => this._put(first + index, pair));
    }
    this._put(SPACE, '  ');
    for (const name of NAMES) {
      this._named(name);
    }
    const taken = new Set([...this._keys.keys(), ...SILENT]);
    const others = Array.from({ length: 158 }, (_, index) => 254 - index);
    const idle = [...IDLE, ...others].filter(keycode => !taken.has(keycode));
    this._free = [...new Set(idle)];
    this._free.length -= KEPT;
    LATIN.forEach(pair => this._seat(pair));
    for (const letter of letters) {
      if (!this.has(letter) && this._free.length > ROOM) {
        this._seat(pairOf(letter).join(''));
      }
    }
  }

  /** Where a symbol lies; null for one that has no place. */
  place(symbol: KeySymbol): IPlace | null {
    return this._places.get(symbol) ?? null;
  }

  has(symbol: KeySymbol): boolean {
    return this._places.has(symbol);
  }

  /** Seats those that have no place yet; at most ROOM at once. Returns whether the map is another now. */
  admit(symbols: readonly KeySymbol[]): boolean {
    for (const symbol of symbols) {
      this._touch(symbol); // before any seat is given away
    }
    const missing = [...new Set(symbols)].filter(symbol => isCharacter(symbol) && !this.has(symbol));
    for (const symbol of missing) {
      const keycode = this._free.shift() ?? this._vacate();
      if (keycode !== undefined) {
        this._put(keycode, symbol);
        this._seats.add(keycode);
        this._guests.add(keycode);
      }
    }
    return missing.length > 0;
  }

  /** All keys, in order: [keycode, symbols of its levels]. */
  get keys(): [number, KeySymbol[]][] {
    return [...this._keys].sort(([one], [two]) => one - two);
  }

  /** The seats alone. */
  get seats(): [number, KeySymbol[]][] {
    return this.keys.filter(([keycode]) => this._seats.has(keycode));
  }

  private _named(name: string): void {
    const keycode = keycodeOf(name);
    if (keycode !== null) {
      // both levels of each, or Shift+F5 would be nothing
      this._keys.set(keycode, name === 'Tab' ? ['Tab', 'ISO_Left_Tab'] : [name, name]);
      this._places.set(name, { keycode, shift: false });
    }
  }

  private _seat(pair: string): void {
    const keycode = this._free.shift();
    if (keycode !== undefined) {
      this._put(keycode, pair);
      this._seats.add(keycode);
    }
  }

  /** Puts one or two characters on a key; one that lies elsewhere already stays there. */
  private _put(keycode: number, pair: string): void {
    const [first = ' ', second = first] = pair;
    this._keys.set(keycode, [first, second]);
    [first, second].forEach((character, level) => {
      if (!this._places.has(character)) {
        this._places.set(character, { keycode, shift: level === 1 });
      }
    });
  }

  private _touch(symbol: KeySymbol): void {
    const keycode = this._places.get(symbol)?.keycode;
    if (keycode !== undefined && this._guests.delete(keycode)) {
      this._guests.add(keycode);
    }
  }

  /** The seat whose guest was not needed for longest. */
  private _vacate(): number | undefined {
    const [keycode] = this._guests;
    if (keycode !== undefined) {
      this._guests.delete(keycode);
      this._keys.get(keycode)?.forEach(symbol => this._places.delete(symbol));
    }
    return keycode;
  }

  private readonly _keys = new Map<number, KeySymbol[]>();
  private readonly _places = new Map<KeySymbol, IPlace>();
  private readonly _seats = new Set<number>();
  /** Seats that may be given to others, the longest idle first. */
  private readonly _guests = new Set<number>();
  private readonly _free: number[];
}
