import type { Event } from '@jupyterlab/services';
import { Stream } from '@lumino/signaling';

import { AppModel } from '../apps';
import { qconnectIcon } from '../icons';
import { SESSION_EVENT, SessionModel } from '../sessions';
import { app, eventually, session, TestServer, type Answer } from './server';

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
  let stream: Stream<Event.IManager, Event.Emission>;
  let model: SessionModel;
  let list: Answer;

  beforeEach(async () => {
    list = { json: { sessions: [session('1.local')] } };
    server.answer = ({ method }) => (method === 'GET' ? list : { status: 201, json: session('2.local') });
    stream = new Stream<Event.IManager, Event.Emission>({} as Event.IManager);
    model = new SessionModel({ serverSettings: server.settings, events: stream });
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

  it('keeps the last list and rejects when the server does not answer', async () => {
    list = 'hang-up';
    await expect(model.refresh()).rejects.toThrow();
    expect(model.all).toHaveLength(1);
  });
});

describe('the model of apps', () => {
  let apps: Answer;
  let icon: Answer;
  let model: AppModel;

  beforeEach(() => {
    apps = { json: { apps: [app('xterm'), app('r')], problems: [] } };
    icon = { text: '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>' };
    server.answer = ({ path }) => (path.endsWith('/icon') ? icon : apps);
  });
  afterEach(() => model.dispose());

  it("shows an app's drawing as a picture, so that no script in it can run", async () => {
    model = new AppModel({ serverSettings: server.settings });
    await eventually(() => model.loaded, 'the catalogue');
    const drawn = model.icon('xterm').element();
    expect(drawn.querySelector('script')).toBeNull();
    const source = drawn.querySelector('image')?.getAttribute('href') ?? '';
    expect(atob(source.replace('data:image/svg+xml;base64,', ''))).toContain('<script>alert(1)</script>');
  });

  it('withholds no app because its icon cannot be loaded', async () => {
    icon = { status: 404, json: {} };
    model = new AppModel({ serverSettings: server.settings });
    await eventually(() => model.loaded, 'the catalogue');
    expect(model.all.map(({ name }) => name)).toEqual(['xterm', 'r']);
    expect(model.icon('xterm')).toBe(qconnectIcon);
  });

  it('says why it could not be loaded, and is not loaded', async () => {
    apps = { status: 502, json: { message: 'The app file r.yaml is wrong.', reason: 'bad-app-file' } };
    model = new AppModel({ serverSettings: server.settings });
    const errors: unknown[] = [];
    model.failed.connect((_, error) => errors.push(error));
    await eventually(() => errors.length > 0, 'the failure');
    expect(errors[0]).toMatchObject({ message: 'The app file r.yaml is wrong.' });
    expect(model.loaded).toBe(false);
  });
});
