/** The section "QConnect sessions" of JupyterLab's Running sidebar. */
import { showErrorMessage } from '@jupyterlab/apputils';
import type { IRunningSessions } from '@jupyterlab/running';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ISignal } from '@lumino/signaling';

import type { ISession } from '../core/models';
import { isFinal, stateWords } from '../core/states';
import { explain } from '../core/text';
import { CommandIDs } from './commands';
import type { IApps, ISessions } from './tokens';

/** What the section shows and calls. */
export interface IRunningSectionOptions {
  apps: IApps;
  commands: CommandRegistry;
  sessions: ISessions;
  trans: TranslationBundle;
}

/** Lists the sessions that have not ended; opens and stops them. */
export class RunningSection implements IRunningSessions.IManager {
  constructor(private readonly _options: IRunningSectionOptions) {
    const { sessions, trans } = _options;
    this.name = trans.__('QConnect sessions');
    this.runningChanged = sessions.changed;
    this.shutdownLabel = trans.__('Stop the program');
    this.shutdownAllLabel = trans.__('Stop All');
    this.shutdownAllConfirmationText = trans.__(
      'Stop all programs that run through QConnect? Unsaved work in them is lost.',
    );
  }

  readonly name: string;
  readonly runningChanged: ISignal<unknown, unknown>;
  readonly shutdownLabel: string;
  readonly shutdownAllLabel: string;
  readonly shutdownAllConfirmationText: string;

  running(): IRunningSessions.IRunningItem[] {
    return this._live().map(session => this._item(session));
  }

  /** Stops all; the sidebar has asked already. */
  shutdownAll(): void {
    void this._stopAll();
  }

  /** An answer that does not come leaves the list as it was; the model keeps trying. */
  refreshRunning(): void {
    this._options.sessions.refresh().catch(() => undefined);
  }

  private _live(): ISession[] {
    return this._options.sessions.all.filter(({ state }) => !isFinal(state));
  }

  private _item(session: ISession): IRunningSessions.IRunningItem {
    const { apps, commands, trans } = this._options;
    const { id, title, reason } = session;
    return {
      icon: (): LabIcon => apps.icon(session.app),
      label: () => title,
      labelTitle: () => (reason ? `${title} (${id}): ${reason}` : `${title} (${id})`),
      detail: () => stateWords(session.state, trans).word,
      open: () => {
        void commands.execute(CommandIDs.openSession, { id });
      },
      shutdown: () => {
        void commands.execute(CommandIDs.stopSession, { id });
      },
    };
  }

  private async _stopAll(): Promise<void> {
    const { sessions, trans } = this._options;
    const stops = await Promise.allSettled(this._live().map(({ id }) => sessions.stop(id)));
    const failures = stops.filter(stop => stop.status === 'rejected');
    if (failures.length) {
      const reasons = failures.map(failure => explain(failure.reason, trans));
      const message = [...new Set(reasons)].join('\n');
      await showErrorMessage(trans.__('Not all programs could be stopped'), message);
    }
  }
}
