/** X's keys with a name: each one's keycode on a PC's keyboard (evdev), and its number. */

/** A key's symbol: one character, or the name that X has for the key. */
export type KeySymbol = string;

const NAMED: Partial<Record<string, readonly [keycode: number, keysym: number]>> = {
  Escape: [9, 0xff1b],
  BackSpace: [22, 0xff08],
  Tab: [23, 0xff09],
  Return: [36, 0xff0d],
  Control_L: [37, 0xffe3],
  Shift_L: [50, 0xffe1],
  Shift_R: [62, 0xffe2],
  KP_Multiply: [63, 0xffaa],
  Alt_L: [64, 0xffe9],
  Caps_Lock: [66, 0xffe5],
  Num_Lock: [77, 0xff7f],
  Scroll_Lock: [78, 0xff14],
  KP_7: [79, 0xffb7],
  KP_8: [80, 0xffb8],
  KP_9: [81, 0xffb9],
  KP_Subtract: [82, 0xffad],
  KP_4: [83, 0xffb4],
  KP_5: [84, 0xffb5],
  KP_6: [85, 0xffb6],
  KP_Add: [86, 0xffab],
  KP_1: [87, 0xffb1],
  KP_2: [88, 0xffb2],
  KP_3: [89, 0xffb3],
  KP_0: [90, 0xffb0],
  KP_Decimal: [91, 0xffae],
  F11: [95, 0xffc8],
  F12: [96, 0xffc9],
  KP_Enter: [104, 0xff8d],
  Control_R: [105, 0xffe4],
  KP_Divide: [106, 0xffaf],
  Print: [107, 0xff61],
  Alt_R: [108, 0xffea],
  Home: [110, 0xff50],
  Up: [111, 0xff52],
  Prior: [112, 0xff55],
  Left: [113, 0xff51],
  Right: [114, 0xff53],
  End: [115, 0xff57],
  Down: [116, 0xff54],
  Next: [117, 0xff56],
  Insert: [118, 0xff63],
  Delete: [119, 0xffff],
  Pause: [127, 0xff13],
  KP_Separator: [129, 0xffac],
  Super_L: [133, 0xffeb],
  Super_R: [134, 0xffec],
  Menu: [135, 0xff67],
  Clear: [140, 0xff0b],
  Multi_key: [147, 0xff20],
  // Never pressed, but without it beside Alt xterm and Emacs do not take Alt for Meta.
  Meta_L: [205, 0xffe7],
};
for (let i = 1; i <= 10; i++) {
  NAMED[`F${i}`] = [66 + i, 0xffbd + i];
}

/** The names of all of them. */
export const NAMES: readonly string[] = Object.keys(NAMED);

export function keycodeOf(name: string): number | null {
  return NAMED[name]?.[0] ?? null;
}

/** The key's number in X's protocol and in RFB; null for a name that is not known. Latin-1 has its own, all else Unicode's. */
export function keysymOf(symbol: KeySymbol): number | null {
  const named = NAMED[symbol];
  if (named) {
    return named[1];
  }
  const point = isCharacter(symbol) ? symbol.codePointAt(0) : undefined;
  return point === undefined ? null : point < 0x100 ? point : 0x1000000 + point;
}

/** The name by which xpra knows it: X itself turns `U00E4` into the keysym of ä. */
export function nameOf(symbol: KeySymbol): string {
  const point = symbol.codePointAt(0) ?? 0;
  return isCharacter(symbol) ? `U${point.toString(16).toUpperCase().padStart(4, '0')}` : symbol;
}

export function isCharacter(symbol: KeySymbol): boolean {
  return Array.from(symbol).length === 1;
}
