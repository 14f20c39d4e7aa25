/** @jest-environment node */
import { withoutToken } from '../address';
import { getQueues } from '../api';
import { ResponseError } from '../request';
import { shown, shownAnswer } from '../shown';

describe('text from elsewhere', () => {
  it('is shown with what would act in it written out', () => {
    expect(shown('a\u001b[2Jb\u202ec\u2066d\u009b')).toBe('a\\u001b[2Jb\\u202ec\\u2066d\\u009b');
    expect(shown('Größe\tin\nm² 🙂')).toBe('Größe\tin\nm² 🙂');
  });

  it('is so in all that the server says, but for what is sent back to it', () => {
    const session = { title: 'a\u202eb', reason: null, job: { node: '\u0007' }, command: ['\u001b'] };
    const question = { text: 'code\u2066:', confirm: true };
    expect(shownAnswer({ session, question, list: ['\ud800', 7] })).toEqual({
      session: { title: 'a\\u202eb', reason: null, job: { node: '\\u0007' }, command: ['\u001b'] },
      question: { text: 'code\\u2066:', confirm: true },
      list: ['\\ud800', 7],
    });
  });

  it('is so in tables and errors, as they come', async () => {
    const answers = (status: number, body: unknown) => ({
      baseUrl: '/',
      spawnUrl: null,
      send: () => Promise.resolve(new Response(JSON.stringify(body), { status })),
    });
    const queues = { scheduler: { name: 'torque', why: '\u202e' }, queues: [{ name: 'gui\u202e' }] };
    expect(await getQueues(answers(200, queues))).toEqual({
      scheduler: { name: 'torque', why: '\\u202e' },
      queues: [{ name: 'gui\\u202e' }],
    });
    const refusal = getQueues(answers(502, { message: 'qsub says \u001b[2J', reason: 'x' }));
    await expect(refusal).rejects.toEqual(new ResponseError(502, 'qsub says \\u001b[2J', 'x'));
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
