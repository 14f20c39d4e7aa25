import { listSessions, startSession, stopSession } from '../api';
import { NetworkError, requestAPI, requestText, ResponseError } from '../request';
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
  it('goes below the base URL as it is written, with the token', async () => {
    server.answer = () => ({ json: { sessions: [] } });
    await listSessions(server.settings);
    expect(server.asked[0]).toMatchObject({ method: 'GET', path: '/a%40b/qconnect/api/sessions' });
    expect(server.asked[0]?.headers.authorization).toBe('token secret');
  });

  it("carries the XSRF cookie's value in its header", async () => {
    document.cookie = '_xsrf=abc';
    await requestAPI('sessions', server.settings, { method: 'POST' });
    expect(server.asked[0]?.headers['x-xsrftoken']).toBe('abc');
  });

  it("fails with the server's own message, its reason and the status", async () => {
    server.answer = () => ({
      status: 429,
      json: { message: 'You have 5 sessions. Stop one.', reason: 'too-many' },
    });
    const error = await failure(listSessions(server.settings));
    expect(error).toBeInstanceOf(ResponseError);
    expect(error).toMatchObject({
      status: 429,
      message: 'You have 5 sessions. Stop one.',
      reason: 'too-many',
    });
  });

  it('names the status when something else than the server answered', async () => {
    server.answer = () => ({ status: 504, text: '<html>gateway</html>' });
    const error = await failure(listSessions(server.settings));
    expect(error).toMatchObject({
      status: 504,
      message: 'The server answered with status 504 (Gateway Timeout).',
    });
  });

  it('fails with a network error when no answer comes', async () => {
    server.answer = () => 'hang-up';
    expect(await failure(listSessions(server.settings))).toBeInstanceOf(NetworkError);
  });

  it('reads text from a path that the server gave', async () => {
    server.answer = () => ({ text: '<svg/>' });
    expect(await requestText('/a%40b/qconnect/api/apps/xterm/icon', server.settings)).toBe('<svg/>');
    expect(server.asked[0]?.path).toBe('/a%40b/qconnect/api/apps/xterm/icon');
  });
});

describe('starting a session', () => {
  it('sends app, spec and command with the idempotency key', async () => {
    server.answer = () => ({ status: 201, json: session('1.local') });
    const started = await startSession(server.settings, { app: 'any', spec: {}, command: ['xclock'] }, 'key');
    expect(started.id).toBe('1.local');
    const asked = server.asked[0];
    expect(asked?.method).toBe('POST');
    expect(JSON.parse(asked?.body ?? '')).toEqual({ app: 'any', spec: {}, command: ['xclock'] });
    expect(asked?.headers['idempotency-key']).toBe('key');
    expect(asked?.headers['content-type']).toBe('application/json');
  });

  it('asks once more with the same key when the answer was lost', async () => {
    server.answer = () => (server.asked.length === 1 ? 'hang-up' : { status: 201, json: session('1.local') });
    await startSession(server.settings, { app: 'xterm', spec: {} }, 'key');
    expect(server.asked.map(({ headers }) => headers['idempotency-key'])).toEqual(['key', 'key']);
  });

  it('does not ask again when the server refused', async () => {
    server.answer = () => ({ status: 502, json: { message: 'qsub: no', reason: 'scheduler-failed' } });
    await failure(startSession(server.settings, { app: 'xterm', spec: {} }, 'key'));
    expect(server.asked).toHaveLength(1);
  });
});

it('stops a session of a job array by its escaped id', async () => {
  server.answer = () => ({ json: session('123[4].server') });
  await stopSession(server.settings, '123[4].server');
  expect(server.asked[0]).toMatchObject({
    method: 'POST',
    path: '/a%40b/qconnect/api/sessions/123%5B4%5D.server/stop',
  });
});
