/** The page /qconnect/: programs and sessions, for people without JupyterLab. */
import type { ReactElement } from 'react';
import { createRoot } from 'react-dom/client';

import { withoutToken } from '../core/address';
import { AppModel } from '../core/apps';
import { launchLink, withoutLink, type ILaunchLink } from '../core/launch-link';
import type { IApp, IStartRequest } from '../core/models';
import { Once } from '../core/once';
import { pageServer, type IServer } from '../core/request';
import { SessionModel } from '../core/sessions';
import { english as trans } from '../core/trans';
import { Overview } from '../ui/overview';
import { startWithTab, type IBegun } from '../ui/pending-tab';
import { ServerEvents } from './events';

/** The models of the page, which live as long as it does, and what is drawn of them. */
class Home {
  constructor(
    private readonly _server: IServer,
    private readonly _link: ILaunchLink | null,
  ) {
    const events = new URL(`${_server.baseUrl}api/events/subscribe`, location.href);
    events.protocol = events.protocol.replace('http', 'ws');
    this._sessions = new SessionModel({ server: _server, events: new ServerEvents(events.href) });
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

  /** Asks at once what has happened while nobody saw the page. */
  look(): void {
    this._sessions.refresh().catch(() => undefined); // the view has heard of it
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
  private readonly _once = new Once();
  private readonly _sessions: SessionModel;
}

const link = launchLink(location.href);
history.replaceState(history.state, '', withoutToken(withoutLink(location.href)));
const place = document.querySelector('main');
if (place) {
  const home = new Home(
    pageServer(document.body.dataset['base'] ?? '/', () => document.cookie),
    link,
  );
  createRoot(place).render(home.draw());
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) {
      home.look();
    }
  });
}
