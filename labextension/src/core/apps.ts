/** The site's catalogue of apps, held once for tiles, palette and labels. */
import type { ReadonlyJSONValue } from '@lumino/coreutils';
import { JSONExt } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';

import type { IApp, ICatalogue } from './models';
import { getCatalogue } from './api';
import type { IServer } from './request';

/** Milliseconds between two looks: app files change when an administrator edits them; until there is one, it is urgent. */
const PACE = {
  loaded: { interval: 300_000, max: 600_000, backoff: true },
  missing: { interval: 6_000, max: 60_000, backoff: true },
};

/** The site's catalogue of apps. */
export interface IAppList {
  /** All apps in the site's order, those that cannot run here too. */
  readonly all: readonly IApp[];

  /** What is wrong with app files that are therefore not used, a sentence each. */
  readonly problems: readonly string[];

  /** The path of `qconnect`, the command, on the server. */
  readonly program: string;

  /** What one click on a tile does, as the site wants it. */
  readonly tile: ICatalogue['tile'];

  /** Whether the server has told of its apps yet. */
  readonly loaded: boolean;

  /** Emitted when the catalogue was loaded and is another than before. */
  readonly changed: ISignal<IAppList, void>;

  /** Emitted with the error when the catalogue could not be loaded; it is tried again by itself. */
  readonly failed: ISignal<IAppList, unknown>;

  /** Asks the server now. */
  refresh(): Promise<void>;

  /** The app of that name, if there is one. */
  find(name: string): IApp | undefined;
}

/** Loads the catalogue, and looks now and then whether it is another. */
export class AppModel implements IAppList, IDisposable {
  constructor(protected readonly server: IServer) {
    this._poll = new Poll<void, Error>({
      name: 'qconnect-web:apps',
      factory: () => this._load(),
      frequency: PACE.missing,
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

  get tile(): ICatalogue['tile'] {
    return this._catalogue?.tile ?? 'last-used';
  }

  /** Looks at once: something of it is another now. */
  async refresh(): Promise<void> {
    await this._poll.refresh();
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

  /** Fetches what has to be there before the apps are shown. */
  protected prepare?(apps: readonly IApp[]): Promise<void>;

  private async _load(): Promise<void> {
    const found = await getCatalogue(this.server);
    this._poll.frequency = PACE.loaded;
    if (this._catalogue && JSONExt.deepEqual(plain(found), plain(this._catalogue))) {
      return;
    }
    await this.prepare?.(found.apps);
    this._catalogue = found;
    this._changed.emit();
  }

  private _onTick(_: unknown, { phase, payload }: { phase: string; payload: unknown }): void {
    if (phase === 'rejected') {
      this._failed.emit(payload);
    }
  }

  private _catalogue: ICatalogue | null = null;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _failed = new Signal<this, unknown>(this);
  private readonly _poll: Poll<void, Error>;
}

function plain(catalogue: ICatalogue): ReadonlyJSONValue {
  return catalogue;
}
