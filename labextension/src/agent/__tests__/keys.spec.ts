/** @jest-environment node */
import { heldOf, meaningOf, platformOf, type IPress, type Platform } from '../keys';

const NOTHING: IPress = {
  key: '',
  code: '',
  keyCode: 0,
  location: 0,
  isComposing: false,
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  altGraph: false,
};

function meaning(press: Partial<IPress>, platform: Platform = 'other'): unknown {
  return meaningOf({ ...NOTHING, ...press }, platform);
}

describe('a press of a key', () => {
  it.each(['a', 'A', 'ß', 'ж', '\\', ' '])('that prints %p is the field’s to tell', key => {
    expect(meaning({ key })).toEqual({ kind: 'text' });
  });

  it.each([
    { key: 'Dead' },
    { key: 'Process' },
    { key: 'Unidentified', keyCode: 229 },
    { key: 'e', keyCode: 229 },
    { key: 'e', isComposing: true },
    { key: 'Enter', isComposing: true },
    { key: 'c', ctrlKey: true, isComposing: true },
  ])('that an input method has is left alone: %j', press => {
    expect(meaning(press)).toEqual({ kind: 'leave' });
  });

  it.each([
    [{ key: 'Enter' }, 'Return', []],
    [{ key: 'Tab', shiftKey: true }, 'Tab', ['shift']],
    [{ key: 'F5', shiftKey: true }, 'F5', ['shift']],
    [{ key: 'ArrowLeft', ctrlKey: true }, 'Left', ['control']],
    [{ key: '7', location: 3 }, 'KP_7', []],
    [{ key: 'Enter', location: 3 }, 'KP_Enter', []],
    [{ key: 'Home', location: 3 }, 'Home', []],
    [{ key: 'F2', altKey: true }, 'F2', ['alt']],
  ])('with a name goes by it: %j', (press, symbol, held) => {
    expect(meaning(press)).toEqual({ kind: 'key', symbol, held, clipboard: false });
  });

  it.each([
    [{ key: 'c', code: 'KeyC', ctrlKey: true }, 'c', ['control'], true],
    [{ key: 'V', code: 'KeyV', ctrlKey: true, shiftKey: true }, 'V', ['shift', 'control'], true],
    [{ key: 'x', code: 'KeyX', altKey: true }, 'x', ['alt'], false],
    [{ key: 'd', code: 'KeyD', metaKey: true }, 'd', ['meta'], false],
    [{ key: 'z', code: 'KeyY', ctrlKey: true }, 'z', ['control'], false], // a German keyboard's Z
    [{ key: 'с', code: 'KeyC', ctrlKey: true }, 'c', ['control'], true], // a Russian keyboard's С
    [{ key: 'Ч', code: 'KeyX', altKey: true, shiftKey: true }, 'X', ['shift', 'alt'], false],
    [{ key: 'ё', code: 'Backquote', ctrlKey: true }, '`', ['control'], false],
    [{ key: '1', code: 'Digit1', ctrlKey: true }, '1', ['control'], false],
  ])('with a modifier is a chord: %j', (press, symbol, held, clipboard) => {
    expect(meaning(press)).toEqual({ kind: 'chord', symbol, held, clipboard });
  });

  it('with AltGr prints, whether a browser says that Control and Alt are held or not', () => {
    expect(meaning({ key: '\\', code: 'Minus', altGraph: true })).toEqual({ kind: 'text' });
    const windows = { key: '\\', code: 'Minus', altGraph: true, ctrlKey: true, altKey: true };
    expect(meaning(windows, 'windows')).toEqual({ kind: 'text' });
  });

  it('with AltGr and Control is the chord of what AltGr makes of it', () => {
    const press = { key: '\\', code: 'Minus', altGraph: true, ctrlKey: true };
    expect(meaning(press)).toMatchObject({ kind: 'chord', symbol: '\\', held: ['control'] });
  });

  it('of AltGr, a lock or another alphabet is nothing for the program', () => {
    expect(meaning({ key: 'AltGraph' })).toEqual({ kind: 'nothing', browser: true });
    expect(meaning({ key: 'CapsLock' })).toEqual({ kind: 'nothing', browser: false });
    expect(meaning({ key: 'HiraganaKatakana' })).toEqual({ kind: 'nothing', browser: true });
    expect(meaning({ key: 'MediaPlayPause' })).toEqual({ kind: 'nothing', browser: true });
  });

  it('that pastes by the browser’s own key is seen by the browser first', () => {
    expect(meaning({ key: 'Insert', shiftKey: true })).toMatchObject({ symbol: 'Insert', clipboard: true });
    expect(meaning({ key: 'Insert' })).toMatchObject({ symbol: 'Insert', clipboard: false });
  });
});

describe('on a Mac', () => {
  it('Option prints, and is no modifier', () => {
    expect(meaning({ key: 'Alt', altKey: true }, 'mac')).toEqual({ kind: 'nothing', browser: true });
    expect(meaning({ key: '@', code: 'KeyL', altKey: true }, 'mac')).toEqual({ kind: 'text' });
  });

  it('Command is Control, and so is Control', () => {
    expect(meaning({ key: 'Meta', location: 2 }, 'mac')).toEqual({ kind: 'modifier', symbol: 'Control_R' });
    expect(meaning({ key: 'Control', location: 1 }, 'mac')).toEqual({
      kind: 'modifier',
      symbol: 'Control_L',
    });
    expect(meaning({ key: 'c', code: 'KeyC', metaKey: true }, 'mac')).toMatchObject({
      symbol: 'c',
      held: ['control'],
    });
  });

  it('a word is left by Option and an arrow', () => {
    expect(meaning({ key: 'ArrowLeft', altKey: true }, 'mac')).toMatchObject({
      symbol: 'Left',
      held: ['alt'],
    });
  });
});

describe('modifiers', () => {
  it('have a side', () => {
    expect(meaning({ key: 'Shift', location: 1 })).toEqual({ kind: 'modifier', symbol: 'Shift_L' });
    expect(meaning({ key: 'Alt', location: 2 })).toEqual({ kind: 'modifier', symbol: 'Alt_R' });
    expect(meaning({ key: 'Meta', location: 1 })).toEqual({ kind: 'modifier', symbol: 'Super_L' });
  });

  it('are those that count for the program', () => {
    const all = { ...NOTHING, shiftKey: true, ctrlKey: true, altKey: true, metaKey: true };
    expect(heldOf(all, 'other')).toEqual(['shift', 'control', 'alt', 'meta']);
    expect(heldOf({ ...all, altGraph: true }, 'windows')).toEqual(['shift', 'meta']);
    expect(heldOf({ ...NOTHING, metaKey: true }, 'mac')).toEqual(['control']);
  });
});

it('platforms are known by what browsers say of themselves', () => {
  expect(platformOf('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)')).toBe('mac');
  expect(platformOf('Mozilla/5.0 (Windows NT 10.0; Win64; x64)')).toBe('windows');
  expect(platformOf('Mozilla/5.0 (X11; Linux x86_64)')).toBe('other');
});
