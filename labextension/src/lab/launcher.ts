/** Tiles in the launcher and entries in the palette, one for each app that can run here. */
import { Notification, type ICommandPalette } from '@jupyterlab/apputils';
import type { ILauncher } from '@jupyterlab/launcher';
import type { TranslationBundle } from '@jupyterlab/translation';
import { DisposableSet, type IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import { explain } from '../core/text';
import { CommandIDs } from './commands';
import type { IApps } from './tokens';

/** What the tiles are made of. */
export interface ITilesOptions {
  apps: IApps;
  launcher: ILauncher | null;
  palette: ICommandPalette | null;
  trans: TranslationBundle;
}

/** Keeps tiles and palette entries equal to the catalogue. */
export class Tiles implements IDisposable {
  constructor(private readonly _options: ITilesOptions) {
    const { apps } = _options;
    apps.changed.connect(this._update, this);
    apps.failed.connect(this._warn, this);
    if (apps.loaded) {
      this._update();
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    Signal.clearData(this);
    this._shown.dispose();
  }

  private _update(): void {
    this._shown.dispose();
    this._shown = new DisposableSet();
    this._tellProblems();
    const { apps, trans } = this._options;
    const category = trans.__('QConnect');
    const available = apps.all.filter(app => app.available);
    available.forEach((app, rank) => {
      this._add(CommandIDs.openApp, { app: app.name }, category, rank);
    });
    if (!available.length) {
      this._add(CommandIDs.openHome, {}, category, 0); // the page says why nothing can be started
    }
  }

  private _add(command: string, args: Record<string, string>, category: string, rank: number): void {
    const { launcher, palette } = this._options;
    if (launcher) {
      this._shown.add(launcher.add({ command, args, category, rank }));
    }
    if (palette && command === CommandIDs.openApp) {
      this._shown.add(palette.addItem({ command, args: { ...args, isPalette: true }, category, rank }));
      this._shown.add(palette.addItem({ command: CommandIDs.appOptions, args, category, rank }));
    }
  }

  /** Says once why there are no tiles; tiles that are there stay, whatever a later look meets. */
  private _warn(_: unknown, error: unknown): void {
    const { apps, trans } = this._options;
    if (apps.loaded || this._warnings.length) {
      return;
    }
    const message = trans.__(
      'QConnect could not load its list of programs, and tries again. %1',
      explain(error, trans),
    );
    this._warnings = [Notification.warning(message, { autoClose: false })];
  }

  /** Says which app files are wrong, in place of whatever was said before. */
  private _tellProblems(): void {
    const { apps, trans } = this._options;
    this._warnings.forEach(id => Notification.dismiss(id));
    this._warnings = apps.problems.map(problem =>
      Notification.warning(trans.__('QConnect: %1', problem), { autoClose: false }),
    );
  }

  private _isDisposed = false;
  private _shown = new DisposableSet();
  private _warnings: string[] = [];
}
