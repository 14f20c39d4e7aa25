/** The site's catalogue of apps, held once for tiles, palette and labels. */
import type { ReadonlyJSONValue } from '@lumino/coreutils';
import { JSONExt } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { IApp, ICatalogue } from './models';
import { getCatalogue } from './api';
import { Looks } from './looks';
import type { IServer } from './request';

/** Milliseconds between two looks: app files change when an administrator edits them. */
const PACE_MS = 300_000;

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
    this._looks = new Looks({
      name: 'apps',
      look: () => this._load(),
      pace: () => PACE_MS,
      looked: error => {
        if (error) {
          this._failed.emit(error);
        }
      },
    });
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
    await this._looks.refresh();
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
    return this._looks.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._looks.dispose();
    Signal.clearData(this);
  }

  /** Asks the server now, if it did not answer. */
  hurry(): void {
    this._looks.hurry();
  }

  find(name: string): IApp | undefined {
    return this.all.find(app => app.name === name);
  }

  /** Fetches what has to be there before the apps are shown. */
  protected prepare?(apps: readonly IApp[]): Promise<void>;

  private async _load(): Promise<void> {
    const found = await getCatalogue(this.server);
    if (this._catalogue && JSONExt.deepEqual(plain(found), plain(this._catalogue))) {
      return;
    }
    await this.prepare?.(found.apps);
    this._catalogue = found;
    this._changed.emit();
  }

  private _catalogue: ICatalogue | null = null;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _failed = new Signal<this, unknown>(this);
  private readonly _looks: Looks;
}

function plain(catalogue: ICatalogue): ReadonlyJSONValue {
  return catalogue;
}
