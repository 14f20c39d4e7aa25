/** The side panel "QConnect": the same view as on the page /qconnect/. */
import { ReactWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';
import type { ReactElement } from 'react';

import type { IServer } from '../core/request';
import { Overview } from '../ui/overview';
import { CommandIDs } from './commands';
import { qconnectIcon } from './icons';
import type { IApps, ISessions } from './tokens';

/** What the panel shows and calls. */
export interface IPanelOptions {
  apps: IApps;
  commands: CommandRegistry;
  server: IServer;
  sessions: ISessions;
  trans: TranslationBundle;
}

/** Sessions, programs and queues; drawn when it is first seen, as it asks the server for each program's icon. */
export class Panel extends ReactWidget {
  constructor(private readonly _options: IPanelOptions) {
    super();
    this.id = 'qconnect-panel';
    this.title.icon = qconnectIcon;
    this.title.caption = _options.trans.__('QConnect: programs and sessions');
    this.addClass('jp-qconnect-Panel');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _options.trans.__('QConnect'));
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._seen = true;
    this.update();
  }

  protected override render(): ReactElement | null {
    const { commands, ...models } = this._options;
    return this._seen ? (
      <Overview
        {...models}
        start={async ({ name }, request) => {
          await commands.execute(CommandIDs.openApp, { app: name, request: plain(request) });
          return ''; // the command itself offers a link where the browser lets no tab open
        }}
        open={({ id }) => void commands.execute(CommandIDs.openSession, { id })}
      />
    ) : null;
  }

  private _seen = false;
}

/** A request as commands take it. */
function plain(request: object): ReadonlyPartialJSONObject {
  return { ...request };
}
