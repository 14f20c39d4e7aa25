import { session, TestServer } from '../../core/__tests__/server';
import type { ISession } from '../../core/models';
import { english } from '../../core/trans';
import { NodeLogin } from '../node-login';
import type { Phase } from '../phase';
import { WaitingRoom } from '../waiting-room';
import { fillPage, shown } from './template';

jest.mock('../../core/marks', () => ({ mark: () => undefined })); // jsdom keeps no marks

const STATE = { linked: true, lost: null, attempts: 0, trouble: null, words: '', picture: false };
const LOG = 'no-such-program: not found <img src=x onerror=alert(1)>';
const server = new TestServer();
let room: WaitingRoom;

beforeAll(() => server.start());
afterAll(() => server.stop());
beforeEach(() => {
  fillPage();
  server.answer = () => ({ json: { log: LOG } });
  room = new WaitingRoom({ server: server.way, trans: english }, new NodeLogin(english, () => undefined));
});

function render(phase: Phase, changed: Partial<ISession> = {}): void {
  room.render(phase, session('17.local', { title: 'Alpine survey', ...changed }), STATE);
}

/** Waits for the log, which comes from a real server. */
async function log(): Promise<string | null> {
  for (let turn = 0; turn < 200 && !shown('log-text'); turn++) {
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  return shown('log-text');
}

describe('a session that waits', () => {
  it('tells for what, and that the tab may be closed', () => {
    render('waiting', { state: 'QUEUED', reason: 'Another runs; this one waits for its turn.' });
    expect(shown('room-title')).toBe('Alpine survey');
    expect(shown('room-line')).toContain('this one waits for its turn');
    expect(shown('room-note')).toContain('You can close this tab');
    expect(shown('log-box')).toBeNull();
    expect(shown('start-again')).toBeNull();
  });

  it('says so when it is cancelled', () => {
    render('waiting', { state: 'QUEUED' });
    render('ended', { state: 'ENDED', reason: 'It was cancelled while it waited.' });
    expect(shown('room-title')).toBe('Alpine survey has ended');
    expect(shown('room-line')).toBe('It was cancelled while it waited.');
    expect(shown('start-again')).toBe('Start again');
    expect(shown('room-elapsed')).toBeNull();
  });
});

describe('a session that failed', () => {
  it('says why, and shows its log as text', async () => {
    render('ended', { state: 'FAILED', reason: 'The program `no-such-program` was not found on node n1.' });
    expect(shown('room-title')).toBe('Alpine survey did not run to its end');
    expect(shown('room-line')).toContain('`no-such-program` was not found');
    expect(await log()).toBe(LOG);
    expect(document.querySelector('img')).toBeNull();
    expect(shown('start-again')).toBe('Start again');
  });

  it('says why its log cannot be had', async () => {
    server.answer = () => ({
      status: 404,
      json: { message: 'There is no such session.', reason: 'unknown' },
    });
    render('ended', { state: 'FAILED' });
    expect(await log()).toContain('There is no such session.');
  });
});

it('a program without a window has its log to look at, and nothing to start again', async () => {
  render('windowless');
  expect(shown('room-line')).toContain('shows no window');
  expect(document.getElementById('room')?.dataset['tone']).toBe('quiet');
  expect(shown('start-again')).toBeNull();
  (document.getElementById('log-box') as HTMLDetailsElement).open = true;
  expect(await log()).toBe(LOG);
});

it('the room is not there before a picture that lives', () => {
  render('live');
  expect(shown('room-title')).toBeNull();
});
