/** The plugins of the extension: models, commands, tiles and the section of the sidebar. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';

import { onReturn } from '../core/retry';
import { SessionModel } from '../core/sessions';
import { LabApps } from './apps';
import { addCommands, CommandIDs } from './commands';
import { Tiles } from './launcher';
import { Opener, type Place } from './opener';
import { Panel } from './panel';
import { RunningSection } from './running';
import { labServer } from './server';
import { Terminals } from './terminals';
import { IApps, ISessions } from './tokens';
import type { ViewerTab } from './viewer-tab';

export * from './tokens';
export type { IApp, IJob, IJobSpec, ISession, IStartRequest, SessionState } from '../core/models';

/** The class of a tile in JupyterLab's launcher. */
const TILE = 'jp-LauncherCard';
const PLUGIN_ID = 'qconnect-web:plugin';

const sessionsPlugin: JupyterFrontEndPlugin<ISessions> = {
  id: 'qconnect-web:sessions',
  description: 'Keeps the list of the sessions.',
  autoStart: true,
  provides: ISessions,
  activate: (app: JupyterFrontEnd) => {
    const { events, serverSettings } = app.serviceManager;
    const heard = { emitted: events.stream, connected: true }; // JupyterLab itself keeps its stream alive
    const sessions = new SessionModel({ server: labServer(serverSettings), events: heard });
    onReturn(window, document, () => sessions.hurry());
    return sessions;
  },
};

const appsPlugin: JupyterFrontEndPlugin<IApps> = {
  id: 'qconnect-web:apps',
  description: 'Keeps the catalogue of the programs that can be started.',
  autoStart: true,
  provides: IApps,
  activate: (app: JupyterFrontEnd) => {
    const apps = new LabApps(labServer(app.serviceManager.serverSettings));
    onReturn(window, document, () => apps.hurry());
    return apps;
  },
};

const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Starts programs as batch jobs and opens their windows.',
  autoStart: true,
  requires: [ISessions, IApps],
  optional: [ISettingRegistry, ILayoutRestorer, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    sessions: ISessions,
    apps: IApps,
    settings: ISettingRegistry | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
  ) => {
    const { commands, shell, serviceManager } = app;
    const trans = bundle(translator);
    const tracker = new WidgetTracker<ViewerTab>({ namespace: 'qconnect-web' });
    const { baseUrl } = serviceManager.serverSettings;
    const server = labServer(serviceManager.serverSettings);
    const terminals = new Terminals(commands, () => apps.program);
    const opener = new Opener({ apps, sessions, shell, tracker, terminals, server, trans, baseUrl });
    addCommands(commands, { apps, opener, place: placeSetting(settings), tileAt: tileMenu(app), trans });
    palette?.addItem({ command: CommandIDs.openHome, category: trans.__('QConnect') });
    palette?.addItem({ command: CommandIDs.openDoctor, category: trans.__('QConnect') });
    void restorer?.restore(tracker, {
      command: CommandIDs.openSession,
      args: ({ content, title }) => ({
        id: content.sessionId,
        title: title.label,
        openIn: 'lab-tab',
      }),
      name: ({ content }) => content.sessionId,
    });
  },
};

/** Puts the form into the context menu of the launcher's tiles; gives the tile that the menu was opened on. */
function tileMenu(app: JupyterFrontEnd): () => HTMLElement | undefined {
  app.contextMenu.addItem({ command: CommandIDs.appOptions, selector: `.${TILE}`, rank: 0 });
  return () => app.contextMenuHitTest(node => node.classList.contains(TILE));
}

const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'qconnect-web:launcher',
  description: 'Shows a tile and a palette entry for each program that can be started.',
  autoStart: true,
  requires: [IApps],
  optional: [ILauncher, ICommandPalette, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    apps: IApps,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
  ) => {
    new Tiles({ apps, launcher, palette, trans: bundle(translator) });
  },
};

const runningPlugin: JupyterFrontEndPlugin<void> = {
  id: 'qconnect-web:running',
  description: 'Lists the sessions in the Running sidebar.',
  autoStart: true,
  requires: [ISessions, IApps],
  optional: [IRunningSessionManagers, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    sessions: ISessions,
    apps: IApps,
    managers: IRunningSessionManagers | null,
    translator: ITranslator | null,
  ) => {
    const { commands } = app;
    managers?.add(new RunningSection({ apps, commands, sessions, trans: bundle(translator) }));
  },
};

const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'qconnect-web:panel',
  description: 'Shows sessions, programs and queues in a side panel.',
  autoStart: true,
  requires: [ISessions, IApps],
  optional: [ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    sessions: ISessions,
    apps: IApps,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null,
  ) => {
    const { commands, serviceManager, shell } = app;
    const server = labServer(serviceManager.serverSettings);
    const panel = new Panel({ apps, commands, server, sessions, trans: bundle(translator) });
    shell.add(panel, 'left', { rank: 300 });
    restorer?.add(panel, panel.id);
  },
};

function bundle(translator: ITranslator | null): TranslationBundle {
  return (translator ?? nullTranslator).load('qconnect_web');
}

/** Reads the setting each time it is asked, so that a change counts at once; a browser tab until it is loaded. */
function placeSetting(registry: ISettingRegistry | null): () => Place {
  let settings: ISettingRegistry.ISettings | null = null;
  registry?.load(PLUGIN_ID).then(
    loaded => {
      settings = loaded;
    },
    () => undefined, // settings that cannot be read are JupyterLab's to report; the default holds
  );
  return () => (settings?.get('openIn').composite === 'lab-tab' ? 'lab-tab' : 'browser-tab');
}

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  sessionsPlugin,
  appsPlugin,
  commandsPlugin,
  launcherPlugin,
  runningPlugin,
  panelPlugin,
];
export default plugins;
