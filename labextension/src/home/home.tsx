/** The page /qconnect/: programs and sessions, for people without JupyterLab. */
import type { ReactElement } from 'react';
import { createRoot } from 'react-dom/client';

import { withoutToken } from '../core/address';
import { AppModel } from '../core/apps';
import { Attention } from '../core/attention';
import { launchLink, withoutLink, type ILaunchLink } from '../core/launch-link';
import type { IApp, IStartRequest } from '../core/models';
import { Once } from '../core/once';
import { pageServer, type IServer } from '../core/request';
import { onReturn } from '../core/retry';
import { SessionModel } from '../core/sessions';
import { english as trans } from '../core/trans';
import { Overview } from '../ui/overview';
import { startWithTab, type IBegun } from '../ui/pending-tab';
import { ServerEvents } from './events';

const TICK_MS = 1000;

/** The models of the page, which live as long as it does, and what is drawn of them. */
class Home {
  constructor(
    private readonly _server: IServer,
    private readonly _link: ILaunchLink | null,
  ) {
    const events = new URL(`${_server.baseUrl}api/events/subscribe`, location.href);
    events.protocol = events.protocol.replace('http', 'ws');
    this._events = new ServerEvents(events.href, () => !document.hidden);
    this._sessions = new SessionModel({ server: _server, events: this._events });
    this._apps = new AppModel(_server);
  }

  draw(): ReactElement {
    return (
      <>
        <header>
          <h1>{trans.__('Programs on the cluster')}</h1>
          <p>
            {trans.__(
              'Each one runs as a batch job and shows its windows in a browser tab. Closing the tab does not end it.',
            )}
          </p>
        </header>
        <Overview
          sessions={this._sessions}
          apps={this._apps}
          server={this._server}
          link={this._link}
          start={async (app, request) => this._start(app, request)}
          trans={trans}
        />
      </>
    );
  }

  /** Is quiet when nobody has looked for long. */
  heed(): void {
    if (this._attention.look(!document.hidden, performance.now())) {
      if (this._attention.resting) {
        this._events.rest();
      } else {
        this._events.wake();
      }
    }
  }

  /** Asks at once what has happened while nobody saw the page. */
  look(): void {
    this._sessions.refresh().catch(() => undefined); // the view has heard of it
  }

  /** Tries at once what has failed. */
  hurry(): void {
    this._events.hurry();
    this._sessions.hurry();
    this._apps.hurry();
  }

  /** Starts an app in a tab of its own; gives what to tell the user. A form is sent once by itself. */
  private async _start(app: IApp, request: IStartRequest): Promise<string> {
    const opening = trans.__('Starting %1…', app.title);
    const begin = async (): Promise<IBegun> =>
      startWithTab(app.title, opening, () => this._sessions.start(request));
    const begun = await (request.remember ? begin() : this._once.run(app.name, begin));
    begun?.tab.go(begun.session.url);
    return begun?.tab.blocked
      ? trans.__('The browser did not let a new tab open. Open the session in the list above.')
      : '';
  }

  private readonly _apps: AppModel;
  private readonly _attention = new Attention(Number(document.body.dataset['unseen']));
  private readonly _events: ServerEvents;
  private readonly _once = new Once();
  private readonly _sessions: SessionModel;
}

const link = launchLink(location.href);
history.replaceState(history.state, '', withoutToken(withoutLink(location.href)));
const place = document.querySelector('main');
if (place) {
  const { base = '/', spawn = '' } = document.body.dataset;
  const home = new Home(
    pageServer(base, () => document.cookie, spawn || null),
    link,
  );
  createRoot(place).render(home.draw());
  setInterval(() => home.heed(), TICK_MS);
  onReturn(window, document, () => home.hurry());
  document.addEventListener('visibilitychange', () => {
    home.heed();
    if (!document.hidden) {
      home.look();
    }
  });
}
