/** @jest-environment node */
import { Keymap } from '../../agent/keymap';
import { Strokes } from '../../agent/strokes';
import { VncKeys } from '../vnc-keys';

/** What a desktop was sent: `+` and `-` keys by their number, or words to the door. */
let sent: string[] = [];
let strokes = new Strokes(wire(), new Keymap());

function wire(): VncKeys {
  return new VncKeys({
    ready: () => true,
    sendKey: (keysym, down) => sent.push(`${down ? '+' : '-'}${keysym.toString(16)}`),
    say: words => sent.push(words),
    ping: () => undefined,
  });
}

const [CONTROL, ALT, A] = ['ffe3', 'ffe9', '61'];

beforeEach(() => {
  sent = [];
  strokes = new Strokes(wire(), new Keymap());
});

it('a character goes by its number, and is on the map before', () => {
  strokes.text('日');
  const [words = '', ...keys] = sent;
  const { keymap } = JSON.parse(words) as { keymap: number[][] };
  expect(keymap.filter(([, first]) => first === 0x10065e5)).toHaveLength(1);
  expect(keys).toEqual(['+10065e5', '-10065e5']);
});

it('every seat is one that the door takes', () => {
  strokes.text('日');
  const { keymap } = JSON.parse(sent[0] ?? '') as { keymap: number[][] };
  for (const seat of keymap) {
    expect(seat).toHaveLength(3);
    const [keycode = 0, ...symbols] = seat;
    expect(keycode >= 8 && keycode < 256).toBe(true);
    expect(symbols.every(symbol => symbol >= 0x20 && symbol < 0x1110000)).toBe(true);
  }
});

it('modifiers that are held stay, and count for a chord', () => {
  strokes.strike('Control_L', 'down', []);
  strokes.strike('a', 'tap', ['control']);
  strokes.strike('Control_L', 'up', []);
  expect(sent).toEqual([`+${CONTROL}`, `+${A}`, `-${A}`, `-${CONTROL}`]);
});

it('modifiers that are not held are pressed for a chord alone', () => {
  strokes.strike('a', 'tap', ['control', 'alt']);
  expect(sent).toEqual([`+${CONTROL}`, `+${ALT}`, `+${A}`, `-${ALT}`, `-${CONTROL}`, `-${A}`]);
});

it('text is typed without the modifiers that are held, which are held again after it', () => {
  strokes.strike('Alt_L', 'down', []);
  strokes.text('a');
  expect(sent).toEqual([`+${ALT}`, `-${ALT}`, `+${A}`, `+${ALT}`, `-${A}`]);
});
