import { Stream } from '@lumino/signaling';

import type { SessionState } from '../models';
import { NetworkError, type IServer } from '../request';
import { SESSION_EVENT, SessionModel } from '../sessions';
import { eventually, session, TestServer, type Answer } from './server';

interface IEmission {
  schema_id: string;
}

let server: TestServer;
beforeEach(async () => {
  server = await new TestServer().start();
});
afterEach(() => server.stop());

function counted(signal: { connect(slot: () => void): boolean }): () => number {
  let count = 0;
  signal.connect(() => {
    count += 1;
  });
  return () => count;
}

describe('the model of sessions', () => {
  let stream: Stream<object, IEmission>;
  let model: SessionModel;
  let list: Answer;

  beforeEach(async () => {
    list = { json: { sessions: [session('1.local')] } };
    server.answer = ({ method }) => (method === 'GET' ? list : { status: 201, json: session('2.local') });
    stream = new Stream<object, IEmission>({});
    model = new SessionModel({ server: server.way, events: { emitted: stream, connected: true } });
    await eventually(() => model.all.length === 1, 'the first list');
  });
  afterEach(() => {
    model.dispose();
    stream.stop();
  });

  it('says nothing when only the clock of a session has moved', async () => {
    const changes = counted(model.changed);
    list = { json: { sessions: [session('1.local', { walltime_left: 3585 })] } };
    await model.refresh();
    expect(model.all[0]?.walltime_left).toBe(3585);
    expect(changes()).toBe(0);
  });

  it('says when a state has changed', async () => {
    const changes = counted(model.changed);
    list = { json: { sessions: [session('1.local', { state: 'ENDED' })] } };
    await model.refresh();
    expect(changes()).toBe(1);
    expect(model.find('1.local')?.state).toBe('ENDED');
  });

  it('looks at once when the server tells of a session, and not for other events', async () => {
    list = { json: { sessions: [] } };
    stream.emit({ schema_id: 'https://events.jupyter.org/other/v1' });
    const before = server.asked.length;
    stream.emit({ schema_id: SESSION_EVENT });
    await eventually(() => model.all.length === 0, 'the new list');
    expect(server.asked.length).toBe(before + 1);
  });

  it('misses nothing that is told while it looks', async () => {
    let answerNow = (): void => undefined;
    const held = new Promise<void>(resolve => {
      answerNow = resolve;
    });
    const asked = server.asked.length;
    const old = list;
    server.answer = async () => {
      await held;
      return old;
    };
    stream.emit({ schema_id: SESSION_EVENT });
    await eventually(() => server.asked.length > asked, 'the look that is held back');
    stream.emit({ schema_id: SESSION_EVENT }); // told while the first look still waits for its old answer
    server.answer = () => ({ json: { sessions: [session('1.local', { state: 'ENDED' })] } });
    answerNow();
    await eventually(() => model.find('1.local')?.state === 'ENDED', 'the state of the second event');
  });

  it('has a started session in the list at once, each start under a key of its own', async () => {
    await model.start({ app: 'xterm', spec: {} });
    await model.start({ app: 'xterm', spec: {} });
    expect(model.all.map(({ id }) => id)).toEqual(['2.local', '1.local']);
    const keys = server.asked
      .filter(({ method }) => method === 'POST')
      .map(({ headers }) => headers['idempotency-key']);
    expect(new Set(keys).size).toBe(2);
  });

  it('tells after each look whether it failed', async () => {
    const errors: unknown[] = [];
    model.looked.connect((_, error) => errors.push(error));
    await model.refresh();
    list = 'hang-up';
    await model.refresh().catch(() => undefined);
    expect(errors).toEqual([null, expect.any(NetworkError)]);
  });

  it('has no session that was forgotten', async () => {
    await model.forget('1.local');
    expect(model.all).toEqual([]);
    expect(server.asked.at(-1)).toMatchObject({ method: 'DELETE' });
  });

  it('keeps the last list and rejects when the server does not answer', async () => {
    list = 'hang-up';
    await expect(model.refresh()).rejects.toThrow();
    expect(model.all).toHaveLength(1);
  });
});

describe('how often the list is looked at', () => {
  let looks: number;
  let model: SessionModel;

  async function watch(state: SessionState, connected?: boolean): Promise<void> {
    looks = 0;
    const way: IServer = {
      baseUrl: '/',
      spawnUrl: null,
      send: () => {
        looks += 1;
        return Promise.resolve(new Response(JSON.stringify({ sessions: [session('1.local', { state })] })));
      },
    };
    const emitted = new Stream<object, IEmission>({});
    model = new SessionModel({
      server: way,
      ...(connected !== undefined && { events: { emitted, connected } }),
    });
    await jest.advanceTimersByTimeAsync(100);
    expect(looks).toBe(1);
    await jest.advanceTimersByTimeAsync(31_000);
  }

  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    model.dispose();
    jest.useRealTimers();
  });

  it('is seldom where events arrive', async () => {
    await watch('QUEUED', true);
    expect(looks).toBe(3);
  });

  it('is each 2 seconds without events while something is pending', async () => {
    await watch('QUEUED');
    expect(looks).toBeGreaterThanOrEqual(14);
  });

  it('is each 6 seconds when events do not arrive and nothing is pending', async () => {
    await watch('READY', false);
    expect(looks).toBe(6);
  });
});
