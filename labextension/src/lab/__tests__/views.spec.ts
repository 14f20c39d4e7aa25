import { MessageLoop } from '@lumino/messaging';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { Notification } from '@jupyterlab/apputils';
import type { ILauncher } from '@jupyterlab/launcher';
import { nullTranslator } from '@jupyterlab/translation';

import { app, eventually, session } from '../../core/__tests__/server';
import type { IApp, ISession } from '../../core/models';
import { NetworkError, ResponseError } from '../../core/request';
import { CommandIDs } from '../commands';
import { qconnectIcon } from '../icons';
import { Tiles } from '../launcher';
import { RunningSection } from '../running';
import type { IApps, ISessions } from '../tokens';
import { Viewer } from '../viewer-tab';

const trans = nullTranslator.load('qconnect_web');

class Apps implements IApps {
  all: readonly IApp[] = [];
  problems: readonly string[] = [];
  program = 'qconnect';
  tile = 'last-used' as const;
  loaded = false;
  readonly refresh = async (): Promise<void> => Promise.resolve();
  readonly changed: Signal<IApps, void> = new Signal<IApps, void>(this);
  readonly failed: Signal<IApps, unknown> = new Signal<IApps, unknown>(this);
  readonly find = (name: string): IApp | undefined => this.all.find(one => one.name === name);
  readonly icon = (): typeof qconnectIcon => qconnectIcon;

  set(all: IApp[], problems: string[] = []): void {
    this.all = all;
    this.problems = problems;
    this.loaded = true;
    this.changed.emit();
  }
}

describe('the tiles', () => {
  let shown: ILauncher.IItemOptions[];
  let apps: Apps;
  let tiles: Tiles;
  const launcher: ILauncher = {
    add: item => {
      shown.push(item);
      return {
        isDisposed: false,
        dispose: () => {
          shown = shown.filter(other => other !== item);
        },
      };
    },
  };

  beforeEach(() => {
    shown = [];
    apps = new Apps();
    tiles = new Tiles({ apps, launcher, palette: null, trans });
  });
  afterEach(() => tiles.dispose());

  it("are one for each app that can run here, in the site's order", () => {
    apps.set([app('xterm'), app('matlab', { available: false, reason: 'not installed' }), app('r')]);
    expect(shown.map(({ args, rank }) => [args?.['app'], rank])).toEqual([
      ['xterm', 0],
      ['r', 1],
    ]);
    expect(shown.every(({ category }) => category === 'QConnect')).toBe(true);
  });

  it('follow the catalogue without doubling', () => {
    apps.set([app('xterm'), app('r')]);
    apps.set([app('r')]);
    expect(shown.map(({ args }) => args?.['app'])).toEqual(['r']);
  });

  it('lead to the page that says why, when no app can run here', () => {
    apps.set([app('matlab', { available: false, reason: 'not installed' })]);
    expect(shown.map(({ command }) => command)).toEqual([CommandIDs.openHome]);
  });
});

describe('the notifications', () => {
  const messages = (): string[] => Notification.manager.notifications.map(({ message }) => message);
  let apps: Apps;
  let tiles: Tiles;

  beforeEach(() => {
    apps = new Apps();
    tiles = new Tiles({ apps, launcher: null, palette: null, trans });
  });
  afterEach(() => {
    tiles.dispose();
    Notification.manager.dismiss();
  });

  it('say once why there are no tiles, until there are', () => {
    apps.failed.emit(new ResponseError(502, 'The folder of apps cannot be read.', 'storage'));
    apps.failed.emit(new ResponseError(502, 'The folder of apps cannot be read.', 'storage'));
    expect(messages()).toEqual([
      'QConnect could not load its list of programs, and tries again. The folder of apps cannot be read.',
    ]);
    apps.set([app('xterm')]);
    expect(messages()).toEqual([]);
  });

  it('say nothing of a failure while tiles are there', () => {
    apps.set([app('xterm')]);
    apps.failed.emit(new NetworkError('gone'));
    expect(messages()).toEqual([]);
  });

  it('name the app files that are wrong, until they are right', () => {
    apps.set([app('xterm')], ['mine.yaml, line 3: no command. Add one.']);
    expect(messages()).toEqual(['QConnect: mine.yaml, line 3: no command. Add one.']);
    apps.set([app('xterm')]);
    expect(messages()).toEqual([]);
  });
});

describe('the section of the sidebar', () => {
  const stopped: string[] = [];
  const executed: unknown[] = [];
  const commands = new CommandRegistry();
  for (const id of [CommandIDs.openSession, CommandIDs.stopSession]) {
    commands.addCommand(id, { execute: args => executed.push([id, args]), describedBy: { args: {} } });
  }
  class Sessions implements ISessions {
    all: ISession[] = [
      session('1.local', { state: 'QUEUED', reason: 'It waits for a free core.' }),
      session('2.local', { state: 'ENDED' }),
      session('3.local', { state: 'FAILED' }),
      session('4.local'),
    ];
    readonly changed: Signal<ISessions, void> = new Signal<ISessions, void>(this);
    readonly looked: Signal<ISessions, Error | null> = new Signal<ISessions, Error | null>(this);
    readonly refresh = (): Promise<void> => Promise.reject(new Error('no answer'));
    readonly find = (id: string): ISession | undefined => this.all.find(one => one.id === id);
    readonly start = (): Promise<ISession> => Promise.reject(new Error('not here'));
    readonly stop = (id: string): Promise<void> => Promise.resolve(void stopped.push(id));
    readonly forget = (): Promise<void> => Promise.reject(new Error('not here'));
  }
  const section = new RunningSection({ apps: new Apps(), commands, sessions: new Sessions(), trans });

  it('lists what has not ended, with its state and what it waits for', () => {
    const items = section.running();
    expect(items.map(item => item.detail?.())).toEqual(['Waiting in the queue', 'Running']);
    expect(items[0]?.labelTitle?.()).toBe('XTerm (1.local): It waits for a free core.');
  });

  it('opens and stops through the commands', () => {
    section.running()[1]?.open?.();
    section.running()[1]?.shutdown?.();
    expect(executed).toEqual([
      [CommandIDs.openSession, { id: '4.local' }],
      [CommandIDs.stopSession, { id: '4.local' }],
    ]);
  });

  it('stops all that has not ended', async () => {
    section.shutdownAll();
    await eventually(() => stopped.length === 2, 'both stops');
    expect(stopped).toEqual(['1.local', '4.local']);
  });

  it('survives a refresh that the server does not answer', () => {
    expect(() => {
      section.refreshRunning();
    }).not.toThrow();
  });
});

describe('the viewer in JupyterLab', () => {
  const url = `${window.location.origin}/qconnect/1.local/`;
  let viewer: Viewer;
  let frame: HTMLIFrameElement;
  let told: unknown[];

  function attach(hidden: boolean): void {
    viewer = new Viewer({ sessionId: '1.local', title: 'XTerm', url });
    viewer.setHidden(hidden);
    Widget.attach(viewer, document.body);
    frame = viewer.node.querySelector('iframe') as unknown as HTMLIFrameElement;
    told = [];
    const page = frame.contentWindow;
    if (page) {
      page.postMessage = (message: unknown, origin: unknown): void => {
        told.push([message, origin]);
      };
    }
  }

  function hear(data: unknown, from: { source?: Window | null; origin?: string } = {}): void {
    const source = from.source === undefined ? frame.contentWindow : from.source;
    const origin = from.origin ?? window.location.origin;
    window.dispatchEvent(new MessageEvent('message', { data, source, origin }));
  }

  afterEach(() => viewer.dispose());

  it('loads the page only when it is first seen', () => {
    attach(true);
    expect(frame.src).toBe('');
    viewer.show();
    expect(frame.src).toBe(url);
  });

  it('tells the page whether it is seen, and tells only our origin', () => {
    attach(false);
    viewer.hide();
    viewer.show();
    expect(told).toEqual([
      [{ qconnect: 'hidden' }, window.location.origin],
      [{ qconnect: 'shown' }, window.location.origin],
    ]);
  });

  it('tells a page that loaded while the tab was left that nobody sees it', () => {
    attach(false);
    viewer.hide();
    told.length = 0;
    frame.dispatchEvent(new Event('load'));
    expect(told).toEqual([[{ qconnect: 'hidden' }, window.location.origin]]);
  });

  it('passes on focus and title of its own page, and of nobody else', () => {
    attach(false);
    const heard: unknown[] = [];
    viewer.focused.connect(() => heard.push('focus'));
    viewer.titled.connect((_, title) => heard.push(title));
    hear({ qconnect: 'focus' }, { source: window });
    hear({ qconnect: 'focus' }, { source: null });
    hear({ qconnect: 'focus' }, { origin: 'https://elsewhere.example' });
    hear({ qconnect: 'title', title: 7 });
    hear(null);
    hear('focus');
    expect(heard).toEqual([]);
    hear({ qconnect: 'focus' });
    hear({ qconnect: 'title', title: 'user@n1: ~' });
    expect(heard).toEqual(['focus', 'user@n1: ~']);
    expect(frame.title).toBe('user@n1: ~');
  });

  it('notices by itself that the keyboard went into the page', () => {
    attach(false);
    let noticed = 0;
    viewer.focused.connect(() => (noticed += 1));
    window.dispatchEvent(new Event('blur'));
    expect(noticed).toBe(0);
    frame.focus();
    window.dispatchEvent(new Event('blur'));
    expect(noticed).toBe(1);
  });

  it('hears nothing more when it is closed', () => {
    attach(false);
    const heard: unknown[] = [];
    viewer.focused.connect(() => heard.push('focus'));
    const source = frame.contentWindow;
    MessageLoop.sendMessage(viewer, Widget.Msg.CloseRequest);
    hear({ qconnect: 'focus' }, { source });
    expect(heard).toEqual([]);
  });
});
