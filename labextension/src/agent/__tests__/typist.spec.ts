import { Keymap } from '../keymap';
import { Strokes } from '../strokes';
import { Typist } from '../typist';

const hear = jest.spyOn(window, 'addEventListener');
let field = document.createElement('textarea');
let sent: string[] = [];
let agent = 'X11; Linux';
let typist: Typist;
let able = true;

const wire = {
  ready: () => able,
  remap: () => undefined,
  sealed: false,
  refuse: () => undefined,
  send: ({ symbol, held }: { symbol: string; held: readonly string[] }, down: boolean) =>
    sent.push(`${down ? '+' : '-'}${[...held, symbol].join('-')}`),
  ping: () => undefined,
};

/** A typist whose strokes are written down, in a browser that calls itself so; earlier ones hear no more. */
function begin(userAgent: string, given: { hold?: boolean; terminal?: () => boolean } = {}): void {
  agent = userAgent;
  hear.mock.calls.forEach(([name, listener, options]) => window.removeEventListener(name, listener, options));
  hear.mockClear();
  field.remove();
  field = document.createElement('textarea');
  document.body.append(field);
  const options = { hold: false, terminal: () => false, chord: () => undefined, ...given };
  typist = new Typist(field, new Strokes(wire, new Keymap()), options);
}

/** A key of the user's keyboard; whether the browser may do something with it. */
function key(type: 'keydown' | 'keyup', press: KeyboardEventInit & { altGraph?: boolean }): boolean {
  const event = new KeyboardEvent(type, { bubbles: true, cancelable: true, ...press });
  event.getModifierState = name => name === 'AltGraph' && Boolean(press.altGraph);
  return field.dispatchEvent(event);
}

function input(inputType: string, data: string | null, isComposing = false): boolean {
  const event = new InputEvent('beforeinput', {
    inputType,
    data,
    isComposing,
    bubbles: true,
    cancelable: true,
  });
  return field.dispatchEvent(event);
}

beforeAll(() => {
  jest.spyOn(navigator, 'userAgent', 'get').mockImplementation(() => agent);
  window.matchMedia = () => ({ matches: false }) as MediaQueryList; // jsdom has no pointers
});
beforeEach(() => {
  jest.useFakeTimers();
  begin('X11; Linux');
  sent = [];
  able = true;
});
afterEach(() => jest.useRealTimers());

it('text is what the field is about to get, and does not get', () => {
  expect(key('keydown', { key: 'ê', code: 'KeyE' })).toBe(true);
  expect(input('insertText', 'ê')).toBe(false);
  expect(sent).toEqual(['+ê', '-ê']);
});

it('of a composition only its end counts', () => {
  key('keydown', { key: 'Process', code: 'KeyN' });
  input('insertCompositionText', 'に', true);
  input('insertText', 'に', true);
  expect(sent).toEqual([]);
  field.dispatchEvent(new CompositionEvent('compositionend', { data: '日本' }));
  expect(sent.filter(word => word.startsWith('+'))).toEqual(['+日', '+本']);
});

it('what a phone says instead of keys are keys', () => {
  input('deleteContentBackward', null);
  input('insertLineBreak', null);
  expect(sent.filter(word => word.startsWith('+'))).toEqual(['+BackSpace', '+Return']);
});

it('what is pasted into the field is the clipboard’s business', () => {
  expect(input('insertFromPaste', 'text')).toBe(false);
  expect(sent).toEqual([]);
});

it('modifiers are held, told with each other, and let go when the window is left', () => {
  key('keydown', { key: 'Shift', location: 1 });
  key('keydown', { key: 'Control', location: 1 });
  expect(sent).toEqual(['+Shift_L', '+shift-Control_L']);
  window.dispatchEvent(new FocusEvent('blur'));
  expect(sent.slice(2)).toEqual(['-Control_L', '-Shift_L']);
  key('keyup', { key: 'Control', location: 1 });
  expect(sent).toHaveLength(4);
});

it('the browser acts on its own copy and paste, and on nothing else', () => {
  expect(key('keydown', { key: 'v', code: 'KeyV', ctrlKey: true })).toBe(true);
  expect(sent).toEqual([]);
  jest.runAllTimers();
  expect(sent).toEqual(['+control-v', '-control-v']);
  expect(key('keydown', { key: 's', code: 'KeyS', ctrlKey: true })).toBe(false);
  expect(key('keydown', { key: 'F5', code: 'F5' })).toBe(false);
});

it('AltGr of Windows is no Control', () => {
  begin('Windows NT 10.0');
  key('keydown', { key: 'Control', code: 'ControlLeft', location: 1, ctrlKey: true });
  key('keydown', { key: 'AltGraph', code: 'AltRight', location: 2, altGraph: true });
  key('keydown', { key: '\\', code: 'Minus', ctrlKey: true, altKey: true, altGraph: true });
  input('insertText', '\\');
  jest.runAllTimers();
  expect(sent).toEqual(['+\\', '-\\']);
});

it('Control of Windows is one, at once with the next key, or after a moment', () => {
  begin('Windows NT 10.0');
  key('keydown', { key: 'Control', location: 1, ctrlKey: true });
  key('keydown', { key: 'd', code: 'KeyD', ctrlKey: true });
  key('keyup', { key: 'Control', location: 1 });
  expect(sent).toEqual(['+Control_L', '+control-d', '-control-d', '-Control_L']);
  sent = [];
  key('keydown', { key: 'Control', location: 1, ctrlKey: true });
  jest.runAllTimers();
  expect(sent).toEqual(['+Control_L']);
  typist.release();
});

it('Command copies in a Mac’s terminals with Shift, and elsewhere without', () => {
  begin('Macintosh', { terminal: () => true });
  key('keydown', { key: 'c', code: 'KeyC', metaKey: true });
  jest.runAllTimers();
  begin('Macintosh');
  key('keydown', { key: 'c', code: 'KeyC', metaKey: true });
  jest.runAllTimers();
  begin('Macintosh', { terminal: () => true });
  key('keydown', { key: 'c', code: 'KeyC', ctrlKey: true });
  jest.runAllTimers();
  expect(sent.filter(word => word.startsWith('+'))).toEqual(['+control-shift-C', '+control-c', '+control-c']);
});

it('a key that is held is struck again, as long as the display answers', () => {
  const repeat = (): void => {
    key('keydown', { key: 'a', code: 'KeyA', repeat: true });
    input('insertText', 'a');
  };
  repeat();
  jest.advanceTimersByTime(500);
  repeat();
  repeat();
  expect(sent).toEqual(['+a', '-a']);
});

it('with `hold`, keys stay down until the user lets go, and repeat as a keyboard does', () => {
  begin('X11; Linux', { hold: true });
  key('keydown', { key: 'a', code: 'KeyA' });
  input('insertText', 'a');
  key('keydown', { key: 'ArrowLeft', code: 'ArrowLeft' });
  expect(sent).toEqual(['+a', '+Left']);
  key('keydown', { key: 'ArrowLeft', code: 'ArrowLeft', repeat: true });
  key('keyup', { key: 'a', code: 'KeyA' });
  expect(sent.slice(2)).toEqual(['-Left', '+Left', '-a']);
  window.dispatchEvent(new FocusEvent('blur'));
  expect(sent.at(-1)).toBe('-Left');
});

it('who only looks on types nothing', () => {
  able = false;
  expect(key('keydown', { key: 'a', code: 'KeyA' })).toBe(true);
  input('insertText', 'a');
  field.dispatchEvent(new CompositionEvent('compositionend', { data: '日本' }));
  expect(sent).toEqual([]);
});

it('Caps Lock makes no other chord', () => {
  key('keydown', { key: 'D', code: 'KeyD', ctrlKey: true });
  key('keydown', { key: 'd', code: 'KeyD', ctrlKey: true, shiftKey: true });
  expect(sent.filter(word => word.startsWith('+'))).toEqual(['+control-d', '+control-shift-D']);
});
