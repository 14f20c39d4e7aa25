/** @jest-environment node */
import { commandMessage, eventMessage, readCommand, readEvent, readPanelWord } from '../messages';

describe('a message between the page and a client', () => {
  it('comes out as it went in', () => {
    expect(readCommand(commandMessage('paste', { text: 'ü✓' }))).toEqual({
      name: 'paste',
      data: { text: 'ü✓' },
    });
    expect(readCommand(commandMessage('go', {}))).toEqual({ name: 'go', data: {} });
    const painted = { w: 640, h: 480, cls: ['xterm', 'XTerm'], ms: 12 };
    expect(readEvent(eventMessage('painted', painted))).toEqual({ name: 'painted', data: painted });
    expect(readEvent(eventMessage('closed', { reason: null }))).toEqual({
      name: 'closed',
      data: { reason: null },
    });
  });

  it('is not taken for one of the other direction', () => {
    expect(readEvent(commandMessage('focus', {}))).toBeNull();
    expect(readCommand(eventMessage('focus', {}))).toBeNull();
  });

  it.each([
    [null],
    ['focus'],
    [17],
    [[]],
    [{}],
    [{ qconnect: 'agent' }],
    [{ qconnect: 'agent', event: 'focus' }],
    [{ qconnect: 'agent', event: 'focus', data: 'x' }],
    [{ qconnect: 'agent', event: 'unheard-of', data: {} }],
    [{ qconnect: 'agent', event: '__proto__', data: {} }],
    [{ qconnect: 'agent', event: 'toString', data: {} }],
    [{ qconnect: 'agent', event: ['focus'], data: {} }],
  ])('that is none is passed over: %j', message => {
    expect(readEvent(message)).toBeNull();
  });

  it('has the types that it says, whatever a node sent', () => {
    const event = (name: string, data: object): unknown =>
      readEvent({ qconnect: 'agent', event: name, data })?.data;
    expect(event('title', { title: { toString: 1 }, more: 1 })).toEqual({ title: '' });
    expect(event('copied', {})).toEqual({ text: '' });
    expect(event('closed', { reason: 5 })).toEqual({ reason: null });
    expect(event('painted', { w: 'wide' })).toEqual({ w: null, h: null, cls: undefined, ms: null });
    expect(event('focus', { more: 1 })).toEqual({});
    expect(event('windows', { count: '0' })).toEqual({ count: null });
    expect(readCommand({ qconnect: 'page', command: 'readonly', data: { on: 1 } })?.data).toEqual({
      on: true,
    });
  });
});

describe('a word of the panel around', () => {
  it('is one of two', () => {
    expect(readPanelWord({ qconnect: 'hidden' })).toBe('hidden');
    expect(readPanelWord({ qconnect: 'shown' })).toBe('shown');
    expect([{ qconnect: 'focus' }, 'hidden', null, {}].map(readPanelWord)).toEqual([null, null, null, null]);
  });
});
