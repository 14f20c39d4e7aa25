/** Looks at something of the server now and then, for as long as somebody sees the page. */
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';

import { Silence } from './retry';

/** What is looked at. */
export interface ILooksOptions {
  name: string;
  look: () => Promise<void>;
  /** Milliseconds until the next look after one that worked. */
  pace: () => number;
  /** Called after each look, with the error of one that failed. */
  looked: (error: Error | null) => void;
}

/** One look after the other; what failed is tried again by the policy of `retry`. */
export class Looks implements IDisposable {
  constructor(private readonly _options: ILooksOptions) {
    this._poll = new Poll({
      name: `qconnect-web:${_options.name}`,
      factory: () => this._look(),
      frequency: frequency(_options.pace()),
      standby: 'when-hidden',
    });
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    this._poll.dispose();
  }

  /** Looks now; rejects when that fails. */
  async refresh(): Promise<void> {
    await this._poll.refresh();
    await this._poll.tick;
    if (this._error) {
      throw this._error;
    }
  }

  /** Looks now, if the last look failed. */
  hurry(): void {
    if (this._error) {
      void this._poll.refresh();
    }
  }

  /** Never rejects: the poll would wait by a rule of its own. */
  private async _look(): Promise<void> {
    try {
      await this._options.look();
      this._error = null;
      this._silence.worked();
    } catch (error) {
      this._error = error instanceof Error ? error : new Error(String(error));
    }
    this._poll.frequency = frequency(this._error ? this._silence.failed(true) : this._options.pace());
    this._options.looked(this._error);
  }

  private _error: Error | null = null;
  private readonly _poll: Poll;
  private readonly _silence = new Silence();
}

function frequency(interval: number): { interval: number; max: number; backoff: false } {
  return { interval, max: interval, backoff: false };
}
