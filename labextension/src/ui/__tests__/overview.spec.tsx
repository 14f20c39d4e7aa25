import { app, session, TestServer, type Answer } from '../../core/__tests__/server';
import { AppModel } from '../../core/apps';
import { SessionModel } from '../../core/sessions';
import { english, type ITrans } from '../../core/trans';
import { Overview } from '../overview';
import { Drawn } from './drawn';

let server: TestServer;
let view: Drawn;
let sessions: SessionModel;
let apps: AppModel;
let list: Answer;
let started: unknown[];
let outcome: Promise<string>;

async function draw(trans: ITrans = english): Promise<void> {
  const start = async (chosen: { name: string }, command: string[]): Promise<string> => {
    started.push([chosen.name, command]);
    return outcome;
  };
  const models = { sessions, apps, server: { ...server.way, spawnUrl: '/hub/spawn/a' }, trans };
  await view.draw(<Overview {...models} start={start} />);
}

async function shows(words: string, there = true): Promise<void> {
  const deadline = Date.now() + 3000;
  while (view.text.includes(words) !== there) {
    if (Date.now() > deadline) {
      throw new Error(`${words} ${there ? 'is missing' : 'is still there'}: ${view.text}`);
    }
    await view.doing(() => undefined);
  }
}

beforeEach(async () => {
  server = await new TestServer().start();
  list = { json: { sessions: [session('1.local')] } };
  server.answer = ({ path, method }) => {
    if (path.endsWith('/apps')) {
      const all = [app('xterm'), app('any', { takes_command: true, title: 'Any command' })];
      return { json: { apps: all, problems: [], program: 'qconnect' } };
    }
    if (path.endsWith('/queues')) {
      return { json: { scheduler: { name: 'torque', why: 'It is there.' }, queues: [] } };
    }
    if (path.endsWith('/stop')) {
      return { json: session('1.local', { state: 'ENDING' }) };
    }
    return method === 'DELETE' ? { status: 204, text: '' } : list;
  };
  started = [];
  outcome = Promise.resolve('');
  sessions = new SessionModel({ server: server.way });
  apps = new AppModel(server.way);
  view = new Drawn();
  await draw();
  await shows('XTerm');
  await shows('The program any');
});
afterEach(async () => {
  await view.remove();
  sessions.dispose();
  apps.dispose();
  await server.stop();
});

it('follows the list of the sessions', async () => {
  list = { json: { sessions: [session('2.local', { title: 'Another' })] } };
  await view.doing(() => void sessions.refresh());
  await shows('Another');
  await shows('1.local', false);
});

it('tells that the server is away, and takes it back with the next answer', async () => {
  list = 'hang-up';
  await view.doing(() => void sessions.refresh().catch(() => undefined));
  await shows('does not answer');
  expect(view.find('[role=alert]').hidden).toBe(false);
  expect(view.text).toContain('1.local');
  list = { json: { sessions: [] } };
  await view.doing(() => void sessions.refresh());
  await shows('does not answer', false);
  expect(view.find('[role=alert]').hidden).toBe(true);
});

it('offers a way through the login, and to a hub that has stopped the server', async () => {
  list = { status: 403, json: { message: 'Forbidden.', reason: 'forbidden' } };
  await view.doing(() => void sessions.refresh().catch(() => undefined));
  await shows('no longer logged in');
  expect(view.button('Log in')).toBeTruthy();
  list = { status: 424, json: { message: 'JupyterHub server no longer running at /user/a/.' } };
  await view.doing(() => void sessions.refresh().catch(() => undefined));
  await shows('server is not running');
  const link = view.find('[role=alert] a');
  expect(link.getAttribute('href')).toBe('/hub/spawn/a?next=%2F');
  list = { status: 502, text: '<html>Bad gateway' };
  await view.doing(() => void sessions.refresh().catch(() => undefined));
  await shows('not reached (status 502)');
  expect(view.find('[role=alert]').children).toHaveLength(0);
});

it('starts a program at once, and tells what went wrong until the next start', async () => {
  outcome = Promise.resolve('You have 5 sessions. Stop one.');
  await view.click(view.find('[data-app=xterm]'));
  expect(started).toEqual([['xterm', []]]);
  await shows('You have 5 sessions');
  outcome = new Promise(() => undefined); // under way
  await view.click(view.find('[data-app=xterm]'));
  await shows('You have 5 sessions', false);
});

it('asks for the command of a program that takes one', async () => {
  await view.click(view.find('[data-app=any]'));
  expect(started).toEqual([]);
  await view.type('xclock -digital');
  await view.click(view.button('Start'));
  expect(started).toEqual([['any', ['xclock', '-digital']]]);
  expect(view.all('dialog')).toHaveLength(0);
});

it('ends a session when that was meant', async () => {
  await view.click(view.button('End XTerm 1.local'));
  await view.click(view.button('Keep it running'));
  expect(server.asked.every(({ method }) => method === 'GET')).toBe(true);
  await view.click(view.button('End XTerm 1.local'));
  await view.click(view.button('End session'));
  await shows('Ending');
  expect(view.all('dialog')).toHaveLength(0);
});

it('forgets a session that has ended', async () => {
  list = { json: { sessions: [session('1.local', { state: 'ENDED' })] } };
  await view.doing(() => void sessions.refresh());
  await shows('Ended (1)');
  await view.click(view.button('Remove XTerm 1.local'));
  await shows('Ended (1)', false);
});

it('has all its words from the translation', async () => {
  const none: ITrans = { __: () => '·' };
  await view.remove();
  view = new Drawn();
  await draw(none);
  await view.click(view.find('[data-app=any]'));
  await view.doing(() => view.all('details').forEach(box => ((box as HTMLDetailsElement).open = true)));
  const own = [
    'XTerm',
    '1.local',
    'XTERM',
    'The program xterm',
    'The program any',
    'Any command',
    'Tools',
    'n1',
  ];
  expect(own.reduce((text, word) => text.replaceAll(word, ''), view.text).replace(/[·\s]/g, '')).toBe('');
});
