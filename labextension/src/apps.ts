/** The site's catalogue of apps, held once for tiles, palette and labels. */
import type { ServerConnection } from '@jupyterlab/services';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { ReadonlyJSONValue } from '@lumino/coreutils';
import { JSONExt } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';

import type { IApp, ICatalogue } from './models';
import { getCatalogue } from './api';
import { appIcon, qconnectIcon } from './icons';
import { requestText } from './request';
import type { IApps } from './tokens';

/** Milliseconds between two looks: app files change when an administrator edits them. */
const LOOK_EVERY_MS = 300_000;
const BACK_OFF_TO_MS = 600_000;

/** What an AppModel needs. */
export interface IAppModelOptions {
  serverSettings: ServerConnection.ISettings;
}

/** Loads the catalogue with its icons, and looks now and then whether it is another. */
export class AppModel implements IApps, IDisposable {
  constructor(options: IAppModelOptions) {
    this._settings = options.serverSettings;
    this._poll = new Poll({
      name: 'qconnect-web:apps',
      factory: () => this._load(),
      frequency: { interval: LOOK_EVERY_MS, backoff: true, max: BACK_OFF_TO_MS },
      standby: 'when-hidden',
    });
    this._poll.ticked.connect(this._onTick, this);
  }

  get all(): readonly IApp[] {
    return this._catalogue?.apps ?? [];
  }

  get problems(): readonly string[] {
    return this._catalogue?.problems ?? [];
  }

  get program(): string {
    return this._catalogue?.program ?? 'qconnect';
  }

  get loaded(): boolean {
    return this._catalogue !== null;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get failed(): ISignal<this, unknown> {
    return this._failed;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._poll.ticked.disconnect(this._onTick, this);
    this._poll.dispose();
    Signal.clearData(this);
  }

  find(name: string): IApp | undefined {
    return this.all.find(app => app.name === name);
  }

  icon(name: string): LabIcon {
    return this._icons.get(name) ?? qconnectIcon;
  }

  private async _load(): Promise<void> {
    const found = await getCatalogue(this._settings);
    if (this._catalogue && JSONExt.deepEqual(plain(found), plain(this._catalogue))) {
      return;
    }
    await Promise.all(found.apps.map(app => this._loadIcon(app)));
    this._catalogue = found;
    this._changed.emit();
  }

  /** An icon that cannot be loaded is no reason to withhold the app: it keeps the general one. */
  private async _loadIcon(app: IApp): Promise<void> {
    try {
      this._icons.set(app.name, appIcon(app.name, await requestText(app.icon, this._settings)));
    } catch {
      this._icons.delete(app.name);
    }
  }

  private _onTick(_: unknown, { phase, payload }: { phase: string; payload: unknown }): void {
    if (phase === 'rejected') {
      this._failed.emit(payload);
    }
  }

  private _catalogue: ICatalogue | null = null;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _failed = new Signal<this, unknown>(this);
  private readonly _icons = new Map<string, LabIcon>();
  private readonly _poll: Poll;
  private readonly _settings: ServerConnection.ISettings;
}

function plain(catalogue: ICatalogue): ReadonlyJSONValue {
  return catalogue as unknown as ReadonlyJSONValue;
}
