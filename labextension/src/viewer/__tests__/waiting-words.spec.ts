/** @jest-environment node */
import type { ISession, ITrouble } from '../../core/models';
import { english } from '../../core/trans';
import { sayingOf } from '../waiting-words';

const SESSION = { title: 'XTerm', kind: 'gui', state: 'READY' } as ISession;
const TROUBLE = { message: 'The node n1 cannot be reached.' } as ITrouble;
const STATE = { linked: true, lost: null, attempts: 0, trouble: null };

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
