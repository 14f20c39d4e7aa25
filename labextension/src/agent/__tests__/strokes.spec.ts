/** @jest-environment node */
import { Keymap, ROOM } from '../keymap';
import { Strokes, type IKeyWire } from '../strokes';

/** A display that writes down what it is told, and looks up each key in the map as it was told last. */
class Wire implements IKeyWire {
  readonly told: string[] = [];
  readonly typed: string[] = [];
  readonly refused: string[] = [];
  sealed = false;
  maps = 0;
  pings = 0;

  refuse(text: string): void {
    this.refused.push(text);
  }

  ready(): boolean {
    return true;
  }

  remap(keymap: Keymap): void {
    this.maps++;
    this.told.push('map');
    this._keys = new Map(keymap.keys);
  }

  send({ symbol, place, held }: Parameters<IKeyWire['send']>[0], down: boolean): void {
    this.told.push(`${down ? '+' : '-'}${[...held, symbol].join('-')}`);
    if (down) {
      this.typed.push(this._keys.get(place.keycode)?.[place.shift ? 1 : 0] ?? '?');
    }
  }

  ping(): void {
    this.pings++;
  }

  private _keys = new Map(new Keymap().keys);
}

let wire = new Wire();
let strokes = new Strokes(wire, new Keymap());

beforeEach(() => {
  jest.useFakeTimers();
  wire = new Wire();
  strokes = new Strokes(wire, new Keymap());
});
afterEach(() => jest.useRealTimers());

describe('text', () => {
  it('is taps, with Shift where the map has it, and keys for line breaks', () => {
    strokes.text('aÄ\n');
    expect(wire.told).toEqual(['+a', '-a', '+shift-Ä', '-shift-Ä', '+Return', '-Return']);
  });

  it('drops what is no character', () => {
    strokes.text('a\u0007b\u0000');
    expect(wire.typed).toEqual(['a', 'b']);
  });

  it('of many alphabets arrives whole and in order, whatever lies on the map', () => {
    const text = Array.from({ length: 300 }, (_, index) => String.fromCodePoint(0x4e00 + index)).join('');
    strokes.text(text);
    strokes.strike('Return', 'tap', []);
    jest.runAllTimers();
    expect(wire.typed.join('')).toBe(`${text}Return`);
    expect(wire.maps).toBe(Math.ceil(300 / ROOM));
  });

  it('waits before the map changes until programs have read what was typed', () => {
    strokes.text('abc');
    strokes.text('日');
    expect(wire.maps).toBe(0);
    jest.advanceTimersByTime(49);
    expect(wire.maps).toBe(0);
    jest.runAllTimers();
    expect(wire.told.slice(-3)).toEqual(['map', '+日', '-日']);
  });
});

describe('keys', () => {
  it('of a chord have their modifiers, and Shift by the character', () => {
    strokes.strike('c', 'tap', ['control']);
    strokes.strike('_', 'tap', ['control', 'shift']);
    strokes.strike('Tab', 'tap', ['shift']);
    expect(wire.told.filter(word => word.startsWith('+'))).toEqual([
      '+control-c',
      '+control-shift-_',
      '+shift-Tab',
    ]);
  });

  it('come after what the browser does first', () => {
    strokes.yield();
    strokes.strike('v', 'tap', ['control']);
    strokes.text('x');
    expect(wire.told).toEqual([]);
    jest.runAllTimers();
    expect(wire.typed).toEqual(['v', 'x']);
  });

  it('may go down and up apart', () => {
    strokes.strike('Control_L', 'down', []);
    strokes.strike('Control_L', 'up', []);
    expect(wire.told).toEqual(['+Control_L', '-Control_L']);
  });
});

it('repeats are stale once the display has not answered for a while, until it does', () => {
  expect(strokes.stale).toBe(false);
  jest.advanceTimersByTime(390);
  expect(strokes.stale).toBe(false);
  jest.advanceTimersByTime(20);
  expect(strokes.stale).toBe(true);
  expect(wire.pings).toBe(1);
  strokes.echo();
  expect(strokes.stale).toBe(false);
  expect(wire.pings).toBe(2);
});

describe('the keymap, which others may have changed,', () => {
  it('is told again when the user comes back after a while, and not at each key', () => {
    strokes.text('a');
    expect(wire.maps).toBe(0);
    jest.advanceTimersByTime(11_000);
    strokes.text('bc');
    strokes.text('d');
    expect(wire.told.filter(word => !word.startsWith('-'))).toEqual(['+a', 'map', '+b', '+c', '+d']);
  });

  it('is not told while the user types', () => {
    for (let time = 0; time < 12_000; time += 1000) {
      strokes.text('a');
      jest.advanceTimersByTime(1000);
    }
    expect(wire.maps).toBe(0);
  });

  it('is told when the user comes into the program, unless it just was', () => {
    strokes.renew();
    expect(wire.maps).toBe(0);
    jest.advanceTimersByTime(11_000);
    strokes.renew();
    strokes.renew();
    expect(wire.maps).toBe(1);
  });
});

describe('in company', () => {
  beforeEach(() => {
    strokes.company = true;
  });

  it('nothing is typed that has no seat, where the keymap cannot change: something else would come of it', () => {
    wire.sealed = true;
    strokes.text('a日ä');
    expect(wire.typed).toEqual(['a', 'ä']);
    expect(wire.refused).toEqual(['日']);
    expect(wire.maps).toBe(0);
  });

  it('it can be typed as soon as the others have left, with the map told before', () => {
    wire.sealed = true;
    strokes.company = false;
    expect(wire.maps).toBe(1);
    strokes.text('日');
    jest.runAllTimers();
    expect(wire.typed).toEqual(['日']);
  });

  it('whoever comes in has the map, where it can change', () => {
    strokes.renew();
    strokes.renew();
    expect(wire.maps).toBe(2);
  });
});
