import { Keymap, lettersOf, ROOM } from '../keymap';
import { keysymOf, nameOf } from '../keysyms';
import { keymapCaps, mouseModifiers } from '../xpra-keys';

/** Different characters of the Han script, from the `from`th on. */
function han(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => String.fromCodePoint(0x4e00 + from + index));
}

/** The symbol that the map's keys really give for a character. */
function given(map: Keymap, symbol: string): string | undefined {
  const place = map.place(symbol);
  const key = map.keys.find(([keycode]) => keycode === place?.keycode);
  return key?.[1][place?.shift ? 1 : 0];
}

describe('the keymap', () => {
  it('has a US keyboard, and Latin-1 on keys that no keyboard has', () => {
    const map = new Keymap();
    expect(map.place('a')).toEqual({ keycode: 38, shift: false });
    expect(map.place('|')).toEqual({ keycode: 51, shift: true });
    expect(map.place('Return')).toEqual({ keycode: 36, shift: false });
    const latin = Array.from({ length: 0x100 - 0xa1 }, (_, index) => String.fromCodePoint(0xa1 + index));
    for (const character of ['€', 'ẞ', ...latin.filter(sign => sign !== '\u00ad')]) {
      expect(given(map, character)).toBe(character);
    }
  });

  it('gives each key one meaning', () => {
    const map = new Keymap(lettersOf(['ru-RU', 'el', 'pl']));
    const keycodes = map.keys.map(([keycode]) => keycode);
    expect(new Set(keycodes).size).toBe(keycodes.length);
    expect(Math.min(...keycodes)).toBeGreaterThanOrEqual(8);
    expect(Math.max(...keycodes)).toBeLessThan(256);
    for (const [, symbols] of map.keys) {
      expect(symbols).toHaveLength(2);
    }
  });

  it('seats no character on a key that X counts among the modifiers', () => {
    const map = new Keymap();
    for (let from = 0; from < 200; from += ROOM) {
      map.admit(han(ROOM, from));
    }
    const seats = map.seats.map(([keycode]) => keycode);
    for (const keycode of [37, 50, 62, 64, 66, 77, 92, 105, 108, 133, 134, 203, 204, 205, 206, 207]) {
      expect(seats).not.toContain(keycode);
    }
  });

  it('leaves keys free, as old servers stumble over a full map', () => {
    const map = new Keymap(lettersOf(['ru', 'el', 'uk']));
    for (let from = 0; from < 400; from += ROOM) {
      map.admit(han(ROOM, from));
    }
    expect(map.keys.length).toBeLessThanOrEqual(248 - 11);
  });

  it('has the letters of the user’s languages from the beginning', () => {
    expect(new Keymap(lettersOf(['ru-RU'])).has('Ж')).toBe(true);
    expect(new Keymap(lettersOf(['en-US'])).has('Ж')).toBe(false);
  });

  it('changes only for what it does not have', () => {
    const map = new Keymap();
    expect(map.admit(['a', 'ä', 'Return', 'Left'])).toBe(false);
    expect(map.admit(['日'])).toBe(true);
    expect(map.admit(['日'])).toBe(false);
    expect(map.admit(['NoSuchKey'])).toBe(false);
    expect(map.place('NoSuchKey')).toBeNull();
  });

  it('seats any characters at once, also when every seat is taken', () => {
    const map = new Keymap(lettersOf(['ru', 'el', 'uk', 'pl', 'tr']));
    for (let from = 0; from < 1000; from += ROOM) {
      const some = han(ROOM, from);
      map.admit(some);
      expect(some.map(character => given(map, character))).toEqual(some);
    }
  });

  it('gives away the seat that was idle for longest, and never one that is needed now', () => {
    const map = new Keymap();
    const first = han(1, 5000);
    map.admit(first);
    for (let from = 0; from < 300; from += ROOM - 1) {
      const some = [...first, ...han(ROOM - 1, from)];
      map.admit(some);
      expect(some.map(character => given(map, character))).toEqual(some);
    }
    for (let from = 300; from < 600; from += ROOM) {
      map.admit(han(ROOM, from));
    }
    expect(map.has(first[0] ?? '')).toBe(false);
  });
});

it('a symbol has one number and one name', () => {
  expect([keysymOf('a'), keysymOf('ä'), keysymOf('€'), keysymOf('😀')]).toEqual([
    0x61, 0xe4, 0x10020ac, 0x101f600,
  ]);
  expect([keysymOf('Return'), keysymOf('F12'), keysymOf('NoSuchKey')]).toEqual([0xff0d, 0xffc9, null]);
  expect([nameOf('ä'), nameOf('😀'), nameOf('Return')]).toEqual(['U00E4', 'U1F600', 'Return']);
});

describe('what xpra is told of it', () => {
  const map = new Keymap();

  it('is a flat list up to version 3, with a query that makes the server set every key', () => {
    const caps = keymapCaps(map, true, false);
    expect(caps['xkbmap_query']).toBeTruthy();
    expect(caps['keyboard_sync']).toBe(false);
    expect(caps['xkbmap_keycodes']).toContainEqual([0, 'U0041', 38, 0, 1]);
    expect(caps['xkbmap_keycodes']).toContainEqual([0, 'ISO_Left_Tab', 23, 0, 1]);
    expect(caps['xkbmap_mod_meanings']).toMatchObject({ Alt_L: 'mod1', Meta_L: 'mod1' });
  });

  it('is one keymap since then, whose keycodes are numbers', () => {
    const { keymap } = keymapCaps(map, false, true) as { keymap: Record<string, unknown> };
    expect(keymap['sync']).toBe(true);
    expect((keymap['x11_keycodes'] as Map<number, string[]>).get(38)).toEqual(['U0061', 'U0041']);
  });

  it('of a click has no locks, and a Mac’s Command is Control', () => {
    expect(mouseModifiers(['shift', 'capslock', 'alt', 'numlock', 'meta'], false)).toEqual([
      'shift',
      'mod1',
      'mod4',
    ]);
    expect(mouseModifiers(['control', 'meta'], true)).toEqual(['control']);
  });
});
