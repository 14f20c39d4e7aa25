import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, WidgetTracker } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';

import { ServerConnection } from '@jupyterlab/services';

import { app, eventually, session, TestServer, type Answer } from '../../core/__tests__/server';
import { withoutLive } from '../../core/launch-form';
import { SessionModel } from '../../core/sessions';
import { LabApps } from '../apps';
import { Opener } from '../opener';
import { labServer } from '../server';
import { Terminals } from '../terminals';
import type { ViewerTab } from '../viewer-tab';

const trans = nullTranslator.load('qconnect_web');

/** A browser tab as `window.open` gives it, with a record of what was done to it. */
class FakeTab {
  readonly document = document.implementation.createHTMLDocument();
  readonly visited: string[] = [];
  readonly location = { replace: (url: string) => this.visited.push(url) };
  opener: unknown = window;
  closed = false;
  close(): void {
    this.closed = true;
  }
}

let server: TestServer;
let apps: LabApps;
let sessions: SessionModel;
let opener: Opener;
let commands: CommandRegistry;
let activated: string[];
let added: unknown[];
let opened: FakeTab[];
let start: () => Answer | Promise<Answer>;

const posts = (): string[] => server.asked.filter(({ method }) => method === 'POST').map(({ body }) => body);
const dialog = (): HTMLElement | null => document.querySelector<HTMLElement>('.jp-Dialog');
const press = (label: string): void => {
  const buttons = [...document.querySelectorAll<HTMLElement>('.jp-Dialog-footer button')];
  buttons.find(button => button.textContent === label)?.click();
};

beforeEach(async () => {
  server = await new TestServer().start();
  start = () => ({ status: 201, json: session('7.local') });
  server.answer = async ({ method, path }) => {
    if (method === 'POST') {
      return start();
    }
    return path.endsWith('/icon')
      ? { text: '<svg/>' }
      : {
          json: {
            ...withoutLive(app('any').form),
            sessions: [],
            apps: [
              app('xterm'),
              app('tmux', { kind: 'terminal' }),
              app('any', { takes_command: true, title: 'Any command' }),
            ],
          },
        };
  };
  const way = labServer(ServerConnection.makeSettings({ baseUrl: server.baseUrl, fetch, Request, Headers }));
  apps = new LabApps(way);
  sessions = new SessionModel({ server: way });
  await eventually(() => apps.loaded, 'the catalogue');
  activated = [];
  added = [];
  const shell = {
    add: (widget: Widget, _area: string, options?: unknown) => {
      Widget.attach(widget, document.body);
      added.push(options);
    },
    activateById: (id: string) => activated.push(id),
  } as unknown as JupyterFrontEnd.IShell;
  const tracker = new WidgetTracker<ViewerTab>({ namespace: 'test' });
  commands = new CommandRegistry();
  const terminals = new Terminals(commands, () => "/opt/jupyter's/bin/qconnect");
  opener = new Opener({
    apps,
    sessions,
    shell,
    tracker,
    terminals,
    server: way,
    trans,
    baseUrl: server.baseUrl,
  });
  opened = [];
  jest.spyOn(window, 'open').mockImplementation(() => {
    const tab = new FakeTab();
    opened.push(tab);
    return tab as unknown as Window;
  });
});

afterEach(async () => {
  Dialog.flush();
  jest.restoreAllMocks();
  apps.dispose();
  sessions.dispose();
  await server.stop();
});

describe('a click on a tile', () => {
  it('opens the tab before the server answers, then sends the tab to the session', async () => {
    const done = opener.startApp('xterm', 'browser-tab');
    expect(opened).toHaveLength(1);
    expect(posts()).toHaveLength(0);
    expect(opened[0]?.document.body.textContent).toBe('Starting XTERM…');
    await done;
    expect(opened[0]?.visited).toEqual([new URL('/a%40b/qconnect/7.local/', server.baseUrl).href]);
    expect(opened[0]?.opener).toBeNull();
  });

  it('has asked the server when the tab opens, which takes the browser a while', async () => {
    const asked = jest.spyOn(sessions, 'start');
    jest.mocked(window.open).mockImplementation(() => {
      expect(asked).toHaveBeenCalledTimes(1);
      return new FakeTab() as unknown as Window;
    });
    await opener.startApp('xterm', 'browser-tab');
    expect(window.open).toHaveBeenCalledTimes(1);
  });

  it('starts one session when it is a double click', async () => {
    await Promise.all([opener.startApp('xterm', 'browser-tab'), opener.startApp('xterm', 'browser-tab')]);
    await opener.startApp('xterm', 'browser-tab');
    expect(posts()).toHaveLength(1);
    expect(opened).toHaveLength(1);
  });

  it("closes the tab and shows the server's message when the start is refused", async () => {
    start = () => ({ status: 429, json: { message: 'You have 5 sessions. Stop one.', reason: 'too-many' } });
    const done = opener.startApp('xterm', 'browser-tab');
    await eventually(() => dialog()?.textContent.includes('XTERM was not started') ?? false, 'the dialog');
    expect(opened[0]?.closed).toBe(true);
    expect(dialog()?.textContent).toContain('You have 5 sessions. Stop one.');
    press('Close');
    await done;
  });

  it('offers a link when the browser lets no tab open', async () => {
    jest.spyOn(window, 'open').mockReturnValue(null);
    const done = opener.startApp('xterm', 'browser-tab');
    await eventually(() => dialog() !== null, 'the dialog');
    const link = dialog()?.querySelector('a');
    expect(link?.href).toBe(new URL('/a%40b/qconnect/7.local/', server.baseUrl).href);
    expect([link?.target, link?.rel]).toEqual(['_blank', 'noopener']);
    press('Close');
    await done;
    expect(posts()).toHaveLength(1);
  });

  it('leaves a tab closed that the user closed while the job was submitted', async () => {
    start = () => {
      opened[0]?.close();
      return { status: 201, json: session('7.local') };
    };
    await opener.startApp('xterm', 'browser-tab');
    expect(opened[0]?.visited).toEqual([]);
    expect(dialog()).toBeNull();
  });
});

describe('an app that takes a command', () => {
  it('asks for it before any tab opens, and is not started without', async () => {
    const done = opener.startApp('any', 'browser-tab');
    await eventually(() => document.querySelector('dialog') !== null, 'the question');
    expect(opened).toHaveLength(0);
    document.querySelector('dialog')?.close();
    expect(await done).toBeNull();
    expect(posts()).toHaveLength(0);
  });

  it('is started with the one that it is given', async () => {
    await opener.startApp('any', 'browser-tab', ['xclock']);
    expect(JSON.parse(posts()[0] ?? '')).toEqual({ app: 'any', spec: {}, command: ['xclock'] });
  });
});

describe('a tab inside JupyterLab', () => {
  it('shows a started session, once', async () => {
    const tab = await opener.startApp('xterm', 'lab-tab');
    expect(opened).toHaveLength(0);
    expect(tab?.id).toBe('qconnect-7.local');
    expect(tab?.node.querySelector('iframe')?.src).toBe(
      new URL('/a%40b/qconnect/7.local/', server.baseUrl).href,
    );
    expect(await opener.openSession('7.local', 'lab-tab')).toBe(tab);
    expect(activated).toEqual(['qconnect-7.local', 'qconnect-7.local']);
    tab?.dispose();
  });

  it('can be restored without asking the server', async () => {
    const before = server.asked.length;
    const tab = await opener.openSession('9.local', 'lab-tab', 'RStudio');
    expect(tab?.title.label).toBe('RStudio');
    expect(tab?.node.querySelector('iframe')?.src).toBe(`${server.baseUrl}qconnect/9.local/`);
    expect(server.asked.length).toBe(before);
    tab?.dispose();
  });
});

describe('stopping a session', () => {
  it('asks first, and does nothing when the user keeps it', async () => {
    const done = opener.stopSession('7.local');
    await eventually(() => dialog() !== null, 'the question');
    press('Keep it running');
    await done;
    expect(posts()).toHaveLength(0);
  });

  it("shows the server's message when it fails", async () => {
    start = () => ({
      status: 502,
      json: { message: 'qdel: no answer. Try again.', reason: 'scheduler-unavailable' },
    });
    const done = opener.stopSession('7.local');
    await eventually(() => dialog() !== null, 'the question');
    press('Stop');
    await eventually(() => dialog()?.textContent.includes('qdel: no answer') ?? false, 'the message');
    press('Close');
    await done;
  });
});

describe('a terminal session', () => {
  let typed: string[];
  let terminal: Widget;
  const withTerminals = (): void => {
    commands.addCommand('terminal:create-new', {
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        terminal = Object.assign(new Widget(), {
          content: { session: { send: (message: { content: string[] }) => typed.push(...message.content) } },
        });
        terminal.id = `terminal-${typed.length}`;
        return terminal;
      },
    });
  };

  beforeEach(() => {
    typed = [];
    start = () => ({ status: 201, json: session('7.local', { app: 'tmux', kind: 'terminal' }) });
  });

  it('opens a terminal that connects, and its display beside it', async () => {
    withTerminals();
    const tab = await opener.startApp('tmux', 'browser-tab');
    expect(typed).toEqual([`'/opt/jupyter'\\''s/bin/qconnect' 7.local\r`]);
    expect(tab).toBe(terminal); // what a launcher moves to its own place
    expect(document.getElementById('qconnect-7.local')).not.toBeNull();
    expect(added).toEqual([{ mode: 'split-right', ref: 'terminal-0' }]);
    expect(activated).toEqual(['terminal-0']);
    expect(opened).toHaveLength(0);
  });

  it('is shown again, not opened twice, and opened anew when its terminal was closed', async () => {
    withTerminals();
    await opener.startApp('tmux', 'browser-tab');
    server.answer = async () =>
      Promise.resolve({
        json: { sessions: [session('7.local', { kind: 'terminal' })], apps: [], problems: [] },
      });
    await sessions.refresh();
    await opener.openSession('7.local', 'browser-tab');
    expect(typed).toHaveLength(1);
    terminal.dispose();
    await opener.openSession('7.local', 'browser-tab');
    expect(typed).toHaveLength(2);
  });

  it('shows its windows alone when that is asked for, or where there are no terminals', async () => {
    const tab = await opener.startApp('tmux', 'lab-tab');
    expect(tab?.id).toBe('qconnect-7.local');
    withTerminals();
    await opener.openSession('7.local', 'lab-tab', 'Terminal', true);
    expect(typed).toHaveLength(0);
    expect(added).toEqual([undefined]);
  });
});
