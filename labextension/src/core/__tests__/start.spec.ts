import { NetworkError } from '../request';
import { Starter } from '../start';
import { session, TestServer, type Answer } from './server';

let server: TestServer;
let starter: Starter;
let answer: Answer;

beforeEach(async () => {
  server = await new TestServer().start();
  starter = new Starter(server.way);
  answer = { status: 201, json: session('1.local') };
  server.answer = () => answer;
});
afterEach(() => server.stop());

const keys = (): unknown[] => server.asked.map(({ headers }) => headers['idempotency-key']);
const start = (app = 'xterm'): Promise<unknown> => starter.start({ app }).catch((error: unknown) => error);

it('each start has a key of its own', async () => {
  await start();
  await start();
  expect(new Set(keys()).size).toBe(2);
});

it('a start after one that nobody answered is the same request', async () => {
  answer = 'hang-up';
  expect(await start()).toBeInstanceOf(NetworkError);
  answer = { status: 201, json: session('1.local') };
  expect(await start()).toMatchObject({ id: '1.local' });
  expect(keys()).toHaveLength(3); // the first one was sent twice
  expect(new Set(keys()).size).toBe(1);
  await start();
  expect(new Set(keys()).size).toBe(2);
});

it.each([502, 504])('a start after status %d is the same request: the job may come yet', async status => {
  answer = { status, text: 'gateway' };
  await start();
  await start();
  expect(new Set(keys()).size).toBe(1);
});

it('a start after a refusal is another one', async () => {
  answer = { status: 429, json: { message: 'You have 5 sessions.', reason: 'too-many' } };
  await start();
  await start();
  expect(new Set(keys()).size).toBe(2);
});

it('two programs do not share a request', async () => {
  answer = { status: 502, text: 'gateway' };
  await start('xterm');
  await start('r');
  expect(new Set(keys()).size).toBe(2);
});

it('what was asked long ago is asked anew', async () => {
  answer = { status: 502, text: 'gateway' };
  await start();
  const now = Date.now();
  jest.spyOn(Date, 'now').mockReturnValue(now + 600_001);
  await start();
  jest.restoreAllMocks();
  expect(new Set(keys()).size).toBe(2);
});
