/** @jest-environment node */
import type { ISession, ITrouble } from '../../core/models';
import { english } from '../../core/trans';
import { sayingOf } from '../waiting-words';

const SESSION = { title: 'XTerm', kind: 'gui', state: 'READY' } as ISession;
const TROUBLE = { message: 'The node n1 cannot be reached.' } as ITrouble;
const STATE = { linked: true, lost: null, attempts: 0, trouble: null, words: '' };

describe('that nothing is lost', () => {
  it.each([
    ['said', 'while the server is away', { ...STATE, linked: false, lost: 'closed' }],
    ['said', 'while the display is opened again', { ...STATE, lost: 'closed' }],
    ['not said', 'while the node is silent', { ...STATE, lost: 'silent' }],
    ['not said', 'while the node cannot be reached', { ...STATE, lost: 'closed', trouble: TROUBLE }],
  ])('is %s %s', (word, _, state) => {
    const { note } = sayingOf('reconnecting', SESSION, state, english);
    expect(note.includes('Nothing is lost')).toBe(word === 'said');
  });
});

describe('a display without a window', () => {
  it('is told as what it is, with the log to look at', () => {
    const { line, note, tone } = sayingOf('windowless', SESSION, STATE, english);
    expect(line).toContain('The program runs, but shows no window.');
    expect(note).toContain('log');
    expect(tone).toBe('quiet');
  });

  it.each(['connecting', 'windowless'] as const)('is as it should be beside a terminal: %s', phase => {
    const terminal = { ...SESSION, id: '7.local', kind: 'terminal' } as ISession;
    const { line, note } = sayingOf(phase, terminal, STATE, english);
    expect(line).toContain('No window yet.');
    expect(note).toBe('The terminal itself: qconnect 7.local');
  });

  it('does not hide why the display is not reached', () => {
    expect(sayingOf('connecting', SESSION, { ...STATE, trouble: TROUBLE }, english).line).toBe(
      TROUBLE.message,
    );
  });
});

describe('what is in the way', () => {
  it.each([
    ['locked-out', 'no longer logged in', 'Log in again'],
    ['stopped', 'Jupyter server is not running', 'Start it again'],
    ['no-upgrade', 'no websocket gets through', 'Tell your administrator'],
    ['refused', 'refuses this page', 'Nothing is lost'],
  ] as const)('is said with what to do: %s', (phase, line, note) => {
    const said = sayingOf(phase, SESSION, STATE, english);
    expect(said).toMatchObject({ title: 'XTerm', tone: 'failed' });
    expect(said.line).toContain(line);
    expect(said.note).toContain(note);
    expect(said.note).toContain('Nothing is lost');
  });

  it("is said in the server's own words where it has some", () => {
    const words = 'Origin a, Host b. Tell your administrator.';
    expect(sayingOf('refused', SESSION, { ...STATE, words }, english).line).toBe(words);
  });

  it('does not promise that a program runs on which is over', () => {
    expect(sayingOf('removed', SESSION, STATE, english).note).not.toContain('runs on');
  });
});
