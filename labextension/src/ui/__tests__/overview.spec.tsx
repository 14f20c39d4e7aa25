import { app, session, TestServer, type Answer } from '../../core/__tests__/server';
import { AppModel } from '../../core/apps';
import { withoutLive } from '../../core/launch-form';
import { ResponseError } from '../../core/request';
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
  const start = async (_: unknown, request: unknown): Promise<string> => {
    started.push(request);
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
      return { json: { apps: all, problems: [], program: 'qconnect', tile: 'last-used' } };
    }
    if (path.includes('/doctor')) {
      return { json: { level: 'ok', findings: [], probe: { running: false, words: '', findings: [] } } };
    }
    if (path.endsWith('/queues')) {
      return { json: { scheduler: { name: 'torque', why: 'It is there.' }, queues: [] } };
    }
    if (path.endsWith('/form')) {
      return { json: withoutLive(app('any').form) };
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
  expect(started).toEqual([{ app: 'xterm', last: true }]);
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
  expect(started).toEqual([{ app: 'any', spec: {}, command: ['xclock', '-digital'], remember: true }]);
  expect(view.all('dialog')).toHaveLength(0);
});

it('opens the form from the tile, and with Shift, and starts nothing by itself', async () => {
  await view.click(view.button('XTERM: options'));
  expect(view.find('dialog h2').textContent).toBe('XTERM');
  await view.doing(() => (view.find('dialog') as HTMLDialogElement).close());
  await view.doing(() =>
    view.find('[data-app=xterm]').dispatchEvent(new MouseEvent('click', { bubbles: true, shiftKey: true })),
  );
  expect(view.all('dialog')).toHaveLength(1);
  expect(started).toEqual([]);
});

it('opens the form by Shift and Enter, and by the context menu', async () => {
  const key = new KeyboardEvent('keydown', { key: 'Enter', shiftKey: true, bubbles: true, cancelable: true });
  await view.doing(() => view.find('[data-app=xterm]').dispatchEvent(key));
  expect(view.find('dialog h2').textContent).toBe('XTERM');
  expect(key.defaultPrevented).toBe(true);
  await view.doing(() => (view.find('dialog') as HTMLDialogElement).close());
  const menu = new MouseEvent('contextmenu', { bubbles: true, cancelable: true });
  await view.doing(() => view.find('[data-app=xterm]').dispatchEvent(menu));
  expect(view.find('dialog h2').textContent).toBe('XTERM');
  expect(started).toEqual([]);
});

it('opens the form where a start is refused at a field', async () => {
  outcome = Promise.reject(new ResponseError(422, 'No.', 'limits', false, { nosuch: 'Too many cores.' }));
  await view.click(view.find('[data-app=xterm]'));
  await shows('Too many cores.');
  expect(view.find('dialog h2').textContent).toBe('XTERM');
});

it('starts a session that has ended again, as it was or with changes', async () => {
  list = { json: { sessions: [session('1.local', { state: 'ENDED' })] } };
  await view.doing(() => void sessions.refresh());
  await shows('Ended (1)');
  await view.click(view.button('Start XTerm 1.local again'));
  expect(started).toEqual([{ app: 'xterm', spec: session('1.local').spec }]);
  await view.click(view.button('Start XTerm 1.local again with changes…'));
  expect(view.find('dialog h2').textContent).toBe('XTERM');
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
  expect(own.reduce((text, word) => text.replaceAll(word, ''), view.text).replace(/[·\s:→]/g, '')).toBe('');
});
