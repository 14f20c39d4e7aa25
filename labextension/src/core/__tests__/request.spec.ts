import { forgetSession, getLog, listSessions, stopSession } from '../api';
import { NetworkError, pageServer, request, requestText, ResponseError } from '../request';
import { english } from '../trans';
import { explain } from '../text';
import { session, TestServer } from './server';

let server: TestServer;
beforeEach(async () => {
  server = await new TestServer().start();
});
afterEach(() => server.stop());

const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: unknown) => error,
  );

describe('a request', () => {
  it('goes below the base URL as it is written', async () => {
    server.answer = () => ({ json: { sessions: [] } });
    await listSessions(server.way);
    expect(server.asked[0]).toMatchObject({ method: 'GET', path: '/a%40b/qconnect/api/sessions' });
  });

  it("fails with the server's own message, its reason and the status", async () => {
    server.answer = () => ({
      status: 429,
      json: { message: 'You have 5 sessions. Stop one.', reason: 'too-many' },
    });
    const error = await failure(listSessions(server.way));
    expect(error).toBeInstanceOf(ResponseError);
    expect(error).toMatchObject({ status: 429, reason: 'too-many' });
    expect(explain(error, english)).toBe('You have 5 sessions. Stop one.');
  });

  it('names the status when something else than the server answered', async () => {
    server.answer = () => ({ status: 504, text: '<html>gateway</html>' });
    const error = await failure(listSessions(server.way));
    expect(explain(error, english)).toBe('The Jupyter server is not reached (status 504). Try again.');
  });

  it.each([401, 403])('says that the login is over when the answer is %d', async status => {
    server.answer = () => ({ status, json: { message: 'Forbidden.', reason: 'forbidden' } });
    expect(explain(await failure(listSessions(server.way)), english)).toContain('Reload the page to log in');
  });

  it('fails with a network error when no answer comes', async () => {
    server.answer = () => 'hang-up';
    const error = await failure(listSessions(server.way));
    expect(error).toBeInstanceOf(NetworkError);
    expect(explain(error, english)).toContain('does not answer');
  });

  it('reads text from a path that the server gave', async () => {
    server.answer = () => ({ text: '<svg/>' });
    expect(await requestText(server.way, '/a%40b/qconnect/api/apps/xterm/icon')).toBe('<svg/>');
    expect(server.asked[0]?.path).toBe('/a%40b/qconnect/api/apps/xterm/icon');
  });

  it('that changes something is waited for longer than one that asks', async () => {
    const limits: number[] = [];
    const timeout = jest.spyOn(AbortSignal, 'timeout').mockImplementation(limit => {
      limits.push(limit);
      return new AbortController().signal;
    });
    await request(server.way, 'sessions');
    await request(server.way, 'sessions', { method: 'POST', data: {} });
    timeout.mockRestore();
    expect(limits).toEqual([30_000, 90_000]);
  });

  it('fails with a network error when its time is up', async () => {
    const timeout = jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => AbortSignal.abort());
    expect(await failure(listSessions(server.way))).toBeInstanceOf(NetworkError);
    timeout.mockRestore();
  });
});

describe('a request with a key', () => {
  const start = (): Promise<unknown> =>
    request(server.way, 'sessions', { method: 'POST', data: { app: 'xterm' }, key: 'key' });

  it('sends JSON and the key', async () => {
    server.answer = () => ({ status: 201, json: session('1.local') });
    expect(await start()).toMatchObject({ id: '1.local' });
    const asked = server.asked[0];
    expect(asked?.method).toBe('POST');
    expect(asked?.body).toBe('{"app":"xterm"}');
    expect(asked?.headers['idempotency-key']).toBe('key');
    expect(asked?.headers['content-type']).toBe('application/json');
  });

  it('is sent again for as long as the server does not know yet', async () => {
    let left = 4;
    server.answer = () =>
      left-- ? { status: 504, json: { message: 'Not yet.', reason: 'unconfirmed' } } : { json: { id: '1' } };
    await expect(start()).resolves.toEqual({ id: '1' });
    expect(new Set(server.asked.map(({ headers }) => headers['idempotency-key']))).toEqual(new Set(['key']));
    expect(server.asked).toHaveLength(5);
  });

  it('is not sent again when the server has given up', async () => {
    server.answer = () => ({ status: 504, json: { message: 'It took too long.', reason: 'timeout' } });
    await expect(start()).rejects.toMatchObject({ status: 504 });
    expect(server.asked).toHaveLength(1);
  });

  it('is sent once more with the same key when the answer was lost', async () => {
    server.answer = () => (server.asked.length === 1 ? 'hang-up' : { status: 201, json: session('1.local') });
    await start();
    expect(server.asked.map(({ headers }) => headers['idempotency-key'])).toEqual(['key', 'key']);
  });

  it('is not sent again when the server refused', async () => {
    server.answer = () => ({ status: 502, json: { message: 'qsub: no', reason: 'scheduler-failed' } });
    await failure(start());
    expect(server.asked).toHaveLength(1);
  });
});

it('without a key is never sent again', async () => {
  server.answer = () => 'hang-up';
  await failure(request(server.way, 'sessions/1/stop', { method: 'POST' }));
  expect(server.asked).toHaveLength(1);
});

describe('a page without JupyterLab', () => {
  it("sends the XSRF cookie's value in the header", async () => {
    const way = pageServer(server.baseUrl, () => 'other=1; _xsrf=2%7Cabc; more=2');
    await request(way, 'sessions', { method: 'POST', data: {} });
    expect(server.asked[0]?.headers['x-xsrftoken']).toBe('2|abc');
    expect(server.asked[0]?.headers['content-type']).toBe('application/json');
  });
});

describe('a session of a job array', () => {
  it('is stopped by its escaped id', async () => {
    server.answer = () => ({ json: session('123[4].server') });
    await stopSession(server.way, '123[4].server');
    expect(server.asked[0]).toMatchObject({
      method: 'POST',
      path: '/a%40b/qconnect/api/sessions/123%5B4%5D.server/stop',
    });
  });

  it('is forgotten, which is answered without content', async () => {
    server.answer = () => ({ status: 204, text: '' });
    await forgetSession(server.way, '123[4].server');
    expect(server.asked[0]).toMatchObject({
      method: 'DELETE',
      path: '/a%40b/qconnect/api/sessions/123%5B4%5D.server',
    });
  });

  it('shows its log', async () => {
    server.answer = () => ({ json: { log: '== job.log\nno' } });
    expect(await getLog(server.way, '1.local')).toBe('== job.log\nno');
  });
});
