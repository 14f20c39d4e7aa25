/** The commands of the extension: what tiles, palette, sidebar and other extensions call. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet, type IDisposable } from '@lumino/disposable';
import type { Widget } from '@lumino/widgets';
import { stopIcon } from '@jupyterlab/ui-components';

import type { IStartRequest } from '../core/models';
import { EXAMINED } from '../ui/overview';
import { qconnectIcon } from './icons';
import type { Opener, Place } from './opener';
import type { IApps } from './tokens';

export const CommandIDs = {
  openApp: 'qconnect:open-app',
  appOptions: 'qconnect:app-options',
  openSession: 'qconnect:open-session',
  stopSession: 'qconnect:stop-session',
  openHome: 'qconnect:open-home',
  openDoctor: 'qconnect:open-doctor',
} as const;

const PLACE = {
  type: 'string',
  enum: ['browser-tab', 'lab-tab'],
  description: 'Where to show the session; by default as the user set it.',
} as const;

const SESSION_ID = { type: 'string', description: 'The job id of the session.' } as const;

/** What the commands act on. */
export interface ICommandOptions {
  apps: IApps;
  opener: Opener;
  /** Where the user wants sessions to be shown. */
  place: () => Place;
  /** The tile that a context menu was opened on. */
  tileAt: () => HTMLElement | undefined;
  trans: TranslationBundle;
}

/** Registers all commands; disposing of the result takes them out again. */
export function addCommands(commands: CommandRegistry, options: ICommandOptions): IDisposable {
  const added = new DisposableSet();
  added.add(addOpenApp(commands, options));
  added.add(addAppOptions(commands, options));
  added.add(addOpenSession(commands, options));
  added.add(addStopSession(commands, options));
  added.add(addOpenHome(commands, options));
  added.add(addOpenDoctor(commands, options));
  return added;
}

function addOpenApp(commands: CommandRegistry, options: ICommandOptions): IDisposable {
  const { apps, trans } = options;
  const title = (args: ReadonlyPartialJSONObject): string => {
    const app = text(args['app']);
    return apps.find(app)?.title ?? app;
  };
  return commands.addCommand(CommandIDs.openApp, {
    label: args => (args['isPalette'] ? trans.__('Start %1', title(args)) : title(args)),
    caption: args => apps.find(text(args['app']))?.description ?? '',
    icon: args => apps.icon(text(args['app'])),
    execute: args => openApp(args, options),
    describedBy: { args: OPEN_APP },
  });
}

const OPEN_APP = {
  type: 'object',
  properties: {
    app: { type: 'string', description: 'The name of the app in the catalogue.' },
    command: {
      type: 'array',
      items: { type: 'string' },
      description: 'The command of an app that takes one, as a list; without it the user is asked.',
    },
    request: {
      type: 'object',
      description: 'What to ask for, as the REST interface takes it; what is wrong with it is an error then.',
    },
    isPalette: { type: 'boolean', description: 'Whether the label is for the palette.' },
    openIn: PLACE,
  },
  required: ['app'],
} as const;

/** Starts what a caller asks for, or what a click on a tile means; with Shift that is the form. */
function openApp(args: ReadonlyPartialJSONObject, options: ICommandOptions): Promise<Widget | null> {
  const { opener } = options;
  const [app, where] = [text(args['app']), place(args, options)];
  const request = args['request'] as Omit<IStartRequest, 'app'> | undefined;
  if (request) {
    return opener.start({ ...request, app }, where);
  }
  return shiftIsHeld()
    ? opener.chooseOptions(app, where)
    : opener.startApp(app, where, words(args['command']));
}

function addAppOptions(commands: CommandRegistry, options: ICommandOptions): IDisposable {
  const { apps, opener, trans } = options;
  const named = (args: ReadonlyPartialJSONObject): string => text(args['app']) || appUnderPointer(options);
  return commands.addCommand(CommandIDs.appOptions, {
    label: args => trans.__('Start %1 with options…', apps.find(named(args))?.title ?? named(args)),
    caption: trans.__('Choose queue, cores, memory, walltime, GPUs and account first'),
    icon: args => apps.icon(named(args)),
    isVisible: args => apps.find(named(args)) !== undefined,
    execute: args => opener.chooseOptions(named(args), place(args, options)),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          app: { type: 'string', description: 'The name of the app; else the one whose tile was clicked.' },
          openIn: PLACE,
        },
      },
    },
  });
}

/** The app whose tile in the launcher the context menu was opened on; empty when it was opened elsewhere. */
function appUnderPointer({ apps, tileAt }: ICommandOptions): string {
  const label = tileAt()?.querySelector('.jp-LauncherCard-label')?.textContent.trim();
  return apps.all.find(app => app.available && app.title === label)?.name ?? '';
}

/** Whether a command is carried out by a click, or a key, with Shift: JupyterLab does not hand the event on. */
function shiftIsHeld(): boolean {
  const event: unknown = Reflect.get(globalThis, 'event');
  return (event instanceof MouseEvent || event instanceof KeyboardEvent) && event.shiftKey;
}

function addOpenSession(commands: CommandRegistry, options: ICommandOptions): IDisposable {
  const { opener, trans } = options;
  return commands.addCommand(CommandIDs.openSession, {
    label: trans.__('Open Session'),
    caption: trans.__('Show the window of a running program'),
    icon: qconnectIcon,
    execute: args => {
      const title = text(args['title']);
      // who says where, means the windows alone: JupyterLab puts its terminals back by itself
      const alone = args['openIn'] !== undefined;
      return opener.openSession(text(args['id']), place(args, options), title || undefined, alone);
    },
    describedBy: {
      args: {
        type: 'object',
        properties: {
          id: SESSION_ID,
          title: { type: 'string', description: 'A title for as long as none is known.' },
          openIn: PLACE,
        },
        required: ['id'],
      },
    },
  });
}

function addStopSession(commands: CommandRegistry, { opener, trans }: ICommandOptions): IDisposable {
  return commands.addCommand(CommandIDs.stopSession, {
    label: trans.__('Stop Session'),
    caption: trans.__('End a program and its job'),
    icon: stopIcon,
    execute: args => opener.stopSession(text(args['id'])),
    describedBy: {
      args: { type: 'object', properties: { id: SESSION_ID }, required: ['id'] },
    },
  });
}

function addOpenHome(commands: CommandRegistry, { opener, trans }: ICommandOptions): IDisposable {
  return commands.addCommand(CommandIDs.openHome, {
    label: trans.__('QConnect: All Programs and Sessions'),
    caption: trans.__('Open the page that lists all programs and sessions, in a browser tab'),
    icon: qconnectIcon,
    execute: () => {
      opener.openHome();
    },
    describedBy: { args: { type: 'object', properties: {} } },
  });
}

function addOpenDoctor(commands: CommandRegistry, { opener, trans }: ICommandOptions): IDisposable {
  return commands.addCommand(CommandIDs.openDoctor, {
    label: trans.__('QConnect: Something Does Not Work'),
    caption: trans.__('Examine the installation, in a browser tab'),
    icon: qconnectIcon,
    execute: () => {
      opener.openHome(EXAMINED);
    },
    describedBy: { args: { type: 'object', properties: {} } },
  });
}

function place(args: ReadonlyPartialJSONObject, options: ICommandOptions): Place {
  const asked = args['openIn'];
  return asked === 'browser-tab' || asked === 'lab-tab' ? asked : options.place();
}

function words(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(word => typeof word === 'string') : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
