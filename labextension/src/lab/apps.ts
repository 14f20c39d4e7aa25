/** The catalogue as JupyterLab shows it: each app with its icon. */
import type { LabIcon } from '@jupyterlab/ui-components';

import { AppModel } from '../core/apps';
import type { IApp } from '../core/models';
import { requestText } from '../core/request';
import { appIcon, qconnectIcon } from './icons';
import type { IApps } from './tokens';

/** The model of apps, which tells of apps when it has their icons. */
export class LabApps extends AppModel implements IApps {
  icon(name: string): LabIcon {
    return this._icons.get(name) ?? qconnectIcon;
  }

  protected override async prepare(apps: readonly IApp[]): Promise<void> {
    await Promise.all(apps.map(app => this._loadIcon(app)));
  }

  /** An icon that cannot be loaded is no reason to withhold the app: it keeps the general one. */
  private async _loadIcon(app: IApp): Promise<void> {
    try {
      this._icons.set(app.name, appIcon(app.name, await requestText(this.server, app.icon)));
    } catch {
      this._icons.delete(app.name);
    }
  }

  private readonly _icons = new Map<string, LabIcon>();
}
