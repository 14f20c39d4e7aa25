/** The form in JupyterLab: opened by a command, by Shift, or because a start was refused at one of its fields. */
import { nullTranslator } from '@jupyterlab/translation';

import { app, eventually, session, TestServer } from '../../core/__tests__/server';
import { withoutLive } from '../../core/launch-form';
import type { ISession, IStartRequest } from '../../core/models';
import { ResponseError } from '../../core/request';
import { enter } from '../../ui/__tests__/drawn';
import { Opener, type IOpenerOptions } from '../opener';

const tool = app('tool', { takes_command: true });
let server: TestServer;
let asked: IStartRequest[];
let refuse: Error | null;
let tile: string;

const opener = (): Opener =>
  new Opener({
    apps: {
      find: (name: string) => [tool, app('xterm')].find(one => one.name === name),
      tile,
      refresh: jest.fn(),
    },
    sessions: {
      start: async (request: IStartRequest): Promise<ISession> => {
        asked.push(request);
        return refuse ? Promise.reject(refuse) : Promise.resolve(session('7.local'));
      },
    },
    terminals: { available: false },
    server: server.way,
    trans: nullTranslator.load('qconnect_web'),
    baseUrl: server.way.baseUrl,
  } as unknown as IOpenerOptions);

async function form(): Promise<HTMLDialogElement> {
  await eventually(() => document.querySelector('dialog[open]') !== null, 'the form');
  return document.querySelector('dialog') as unknown as HTMLDialogElement;
}

beforeEach(async () => {
  server = await new TestServer().start();
  server.answer = () => ({ json: withoutLive(tool.form) });
  [asked, refuse, tile] = [[], null, 'last-used'];
  window.open = jest.fn(() => null);
});
afterEach(() => server.stop());

it('starts what is filled in, with a tab of the very click', async () => {
  const done = opener().chooseOptions('tool', 'browser-tab');
  const shown = await form();
  enter(shown.querySelector('input') as unknown as HTMLInputElement, 'xclock -digital');
  expect(window.open).not.toHaveBeenCalled();
  shown.querySelector<HTMLElement>('button[type=submit]')?.click();
  expect(window.open).toHaveBeenCalledTimes(1);
  expect(asked).toEqual([{ app: 'tool', spec: {}, command: ['xclock', '-digital'], remember: true }]);
  await eventually(() => document.querySelector('.jp-Dialog') !== null, 'the link in the place of a tab');
  document.querySelector<HTMLElement>('.jp-Dialog button')?.click();
  await done;
  expect(document.querySelector('dialog')).toBeNull();
});

it('opens where a start is refused at a field, with what is wrong', async () => {
  refuse = new ResponseError(422, 'No.', 'limits', false, { cores: 'Too many.' });
  const done = opener().startApp('xterm', 'browser-tab');
  const shown = await form();
  expect(asked).toEqual([{ app: 'xterm', spec: {}, last: true }]);
  await eventually(() => shown.textContent.includes('Too many.'), 'the refusal');
  shown.close();
  expect(await done).toBeNull();
});

it('opens first where the site wants it so', async () => {
  tile = 'form';
  const done = opener().startApp('xterm', 'browser-tab');
  (await form()).close();
  expect(await done).toBeNull();
  expect(asked).toEqual([]);
});
