/** Starts apps and shows sessions, in a browser tab or in a tab of JupyterLab. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { WidgetTracker } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import type { AppKind, ISession, IStartRequest } from '../core/models';
import { Once } from '../core/once';
import { ResponseError, type IServer } from '../core/request';
import { PendingTab, startWithTab } from '../ui/pending-tab';
import type { IBeginning } from '../ui/use-launch-form';
import { confirmStop, offerLink, showLaunchForm, tellFailure, tellNotStarted } from './dialogs';
import type { Terminals } from './terminals';
import type { IApps, ISessions } from './tokens';
import { Viewer, ViewerTab } from './viewer-tab';

/** Where a session is shown. */
export type Place = 'browser-tab' | 'lab-tab';

/** What a page is about: enough to show it before, and without, the server's answer. */
interface IPage {
  id: string;
  app: string;
  kind: AppKind;
  title: string;
  url: string;
}

/** What an Opener works with. */
export interface IOpenerOptions {
  apps: IApps;
  sessions: ISessions;
  shell: JupyterFrontEnd.IShell;
  tracker: WidgetTracker<ViewerTab>;
  terminals: Terminals;
  server: IServer;
  trans: TranslationBundle;
  /** Jupyter's base URL, in full. */
  baseUrl: string;
}

/** The one place that opens windows. */
export class Opener {
  constructor(private readonly _options: IOpenerOptions) {}

  /**
   * Starts an app and shows its session; null when nothing is there to be seen in JupyterLab. An app that takes a
   * command, and was given none, asks for it.
   *
   * Called from a click it opens the browser tab before the first wait.
   */
  async startApp(app: string, place: Place, given: string[] = []): Promise<Widget | null> {
    const { apps, trans } = this._options;
    const known = apps.find(app);
    if (known && !given.length && (known.takes_command || apps.tile === 'form')) {
      return this.chooseOptions(app, place);
    }
    const last = apps.tile === 'last-used' && !given.length && { last: true };
    const asked = { app, spec: {}, ...last, ...(given.length && { command: given }) };
    try {
      return await this.start(asked, place);
    } catch (error) {
      if (known && error instanceof ResponseError && Object.keys(error.fields).length) {
        return this.chooseOptions(app, place, { error });
      }
      await tellNotStarted(known?.title ?? app, error, trans);
      return null;
    }
  }

  /** Asks what an app is to be started with, and starts it; null when the user thinks better of it. */
  async chooseOptions(app: string, place: Place, beginning?: IBeginning): Promise<Widget | null> {
    const { apps, server, trans } = this._options;
    const known = apps.find(app);
    let shown: Widget | null = null;
    if (known) {
      const onStart = async (request: IStartRequest): Promise<void> => {
        shown = await this.start(request, place);
      };
      await showLaunchForm({
        app: known,
        server,
        beginning,
        onStart,
        onSaved: () => void apps.refresh(),
        trans,
      });
    }
    return shown;
  }

  /**
   * Starts what is asked for, and shows its session; rejects when nothing was started. Call it in the click.
   *
   * The second half of a double click starts nothing; a form is sent once by itself.
   */
  async start(asked: IStartRequest, place: Place): Promise<Widget | null> {
    const start = (): Promise<Widget | null> => this._start(asked, place);
    return asked.remember ? start() : this._once.run(asked.app, start);
  }

  /**
   * Shows a session; whether it still runs, its page will tell.
   *
   * A terminal session is a terminal with its display beside it, unless its windows are wanted `alone`.
   */
  async openSession(id: string, place: Place, title?: string, alone = false): Promise<Widget | null> {
    const page = this._page(id, title);
    if (!alone && this._hasTerminal(page.kind)) {
      return this._showTerminal(page);
    }
    if (place === 'lab-tab') {
      return this._showInLab(page);
    }
    const { trans } = this._options;
    await this._showInBrowser(page, new PendingTab(page.title, trans.__('Opening %1…', page.title)));
    return null;
  }

  /** Stops a session, when the user means it. */
  async stopSession(id: string): Promise<void> {
    const { sessions, trans } = this._options;
    if (!(await confirmStop(sessions.find(id)?.title ?? id, id, trans))) {
      return;
    }
    try {
      await sessions.stop(id);
    } catch (error) {
      await tellFailure(error, trans);
    }
  }

  /** Opens the page that lists apps and sessions. */
  openHome(place = ''): void {
    window.open(`${URLExt.join(this._options.baseUrl, 'qconnect/')}${place}`, '_blank', 'noopener');
  }

  private async _start(asked: IStartRequest, place: Place): Promise<Widget | null> {
    const { apps, sessions, trans } = this._options;
    const known = apps.find(asked.app);
    const title = known?.title ?? asked.app;
    const start = (): Promise<ISession> => sessions.start(asked);
    const inTab = place === 'browser-tab' && !(known && this._hasTerminal(known.kind));
    const begun: { session: ISession; tab?: PendingTab } = inTab
      ? await startWithTab(title, trans.__('Starting %1…', title), start)
      : { session: await start() };
    const page = this._pageOf(begun.session);
    if (begun.tab) {
      await this._showInBrowser(page, begun.tab);
      return null;
    }
    return this._hasTerminal(page.kind) ? this._showTerminal(page) : this._showInLab(page);
  }

  private async _showInBrowser(page: IPage, tab: PendingTab): Promise<void> {
    if (tab.blocked) {
      await offerLink(page.title, page.url, this._options.trans);
    } else {
      tab.go(page.url);
    }
  }

  private _showInLab(page: IPage, beside?: Widget): ViewerTab {
    const { shell, tracker } = this._options;
    const shown = tracker.find(tab => tab.content.sessionId === page.id);
    const tab = shown ?? this._newTab(page);
    if (!tab.isAttached) {
      shell.add(tab, 'main', beside && { mode: 'split-right', ref: beside.id });
    }
    shell.activateById((beside ?? tab).id);
    return tab;
  }

  /** The terminal, with the session's display on its right; the keyboard is the terminal's. */
  private async _showTerminal(page: IPage): Promise<Widget> {
    const terminal = await this._options.terminals.open(page.id);
    this._showInLab(page, terminal);
    return terminal; // a launcher moves what it is given to its own place, and goes
  }

  private _hasTerminal(kind: AppKind): boolean {
    return kind === 'terminal' && this._options.terminals.available;
  }

  private _newTab(page: IPage): ViewerTab {
    const { apps, shell, tracker } = this._options;
    const tab = new ViewerTab({
      content: new Viewer({ sessionId: page.id, title: page.title, url: page.url }),
    });
    tab.title.label = page.title;
    tab.title.caption = `${page.title} (${page.id})`;
    tab.title.icon = apps.icon(page.app);
    tab.content.focused.connect(() => {
      shell.activateById(tab.id);
    });
    tab.content.titled.connect((_, title) => {
      tab.title.label = title;
    });
    void tracker.add(tab);
    return tab;
  }

  private _page(id: string, title?: string): IPage {
    const session = this._options.sessions.find(id);
    if (session) {
      return this._pageOf(session);
    }
    const url = URLExt.join(this._options.baseUrl, 'qconnect', encodeURIComponent(id), '/');
    return { id, app: '', kind: 'gui', title: title ?? id, url };
  }

  private _pageOf(session: ISession): IPage {
    const { id, app, kind, title } = session;
    return { id, app, kind, title, url: new URL(session.url, this._options.baseUrl).href };
  }

  private readonly _once = new Once();
}
