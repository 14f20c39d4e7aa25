/** @jest-environment node */
import { withoutToken } from '../address';
import type { ISession } from '../models';
import { shown, shownSession } from '../shown';

describe('text from elsewhere', () => {
  it('is shown with what would act in it written out', () => {
    expect(shown('a\u001b[2Jb\u202ec\u2066d\u009b')).toBe('a\\u001b[2Jb\\u202ec\\u2066d\\u009b');
    expect(shown('Größe\tin\nm² 🙂')).toBe('Größe\tin\nm² 🙂');
  });

  it('is so in the words of a session, whose command stays as it is', () => {
    const session = { title: 'a\u202eb', reason: '\u0007', command: ['\u001b'] } as unknown as ISession;
    expect(shownSession(session)).toEqual({ title: 'a\\u202eb', reason: '\\u0007', command: ['\u001b'] });
    expect(shownSession({ ...session, reason: null }).reason).toBeNull();
  });
});

describe('an address', () => {
  it.each([
    ['/qconnect/', 'https://a.org/qconnect/?token=secret'],
    ['/qconnect/17.local/?x=1#view-only', 'https://a.org/qconnect/17.local/?token=secret&x=1#view-only'],
    ['/qconnect/', 'https://a.org/qconnect/'],
  ])('is %s without its token', (expected, href) => {
    expect(withoutToken(href)).toBe(expected);
  });
});
