/** The list of sessions, held once for all views. */
import type { Event, ServerConnection } from '@jupyterlab/services';
import type { JSONValue, ReadonlyJSONValue } from '@lumino/coreutils';
import { JSONExt, UUID } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';

import type { ISession, IStartRequest } from './models';
import { listSessions, startSession, stopSession } from './api';
import type { ISessions } from './tokens';

/** The schema of the events by which the server says that a session changed. */
export const SESSION_EVENT = 'https://qconnect-web.readthedocs.io/events/session/v1';

/** Milliseconds between two looks while no event comes: events make it quick, this makes it certain. */
const LOOK_EVERY_MS = 15_000;
const BACK_OFF_TO_MS = 300_000;

/** What a SessionModel needs. */
export interface ISessionModelOptions {
  serverSettings: ServerConnection.ISettings;
  /** Where the server's events arrive; without it the model only polls. */
  events?: Event.Stream;
}

/** Polls the server, listens to its events, and tells views when something that they show has changed. */
export class SessionModel implements ISessions, IDisposable {
  constructor(options: ISessionModelOptions) {
    this._settings = options.serverSettings;
    this._poll = new Poll<void, Error>({
      name: 'qconnect-web:sessions',
      factory: async () => {
        this._replace(await listSessions(this._settings));
      },
      frequency: { interval: LOOK_EVERY_MS, backoff: true, max: BACK_OFF_TO_MS },
      standby: 'when-hidden',
    });
    this._stream = options.events ?? null;
    this._stream?.connect(this._onEvent, this);
  }

  get all(): readonly ISession[] {
    return this._all;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._stream?.disconnect(this._onEvent, this);
    this._poll.dispose();
    Signal.clearData(this);
  }

  async refresh(): Promise<void> {
    await this._poll.refresh();
    await this._poll.tick;
    const { phase, payload } = this._poll.state;
    if (phase === 'rejected' && payload instanceof Error) {
      throw payload;
    }
  }

  find(id: string): ISession | undefined {
    return this._all.find(session => session.id === id);
  }

  async start(request: IStartRequest): Promise<ISession> {
    const started = await startSession(this._settings, request, UUID.uuid4());
    this._put(started);
    return started;
  }

  async stop(id: string): Promise<void> {
    this._put(await stopSession(this._settings, id));
  }

  private _put(session: ISession): void {
    const others = this._all.filter(other => other.id !== session.id);
    this._replace([session, ...others]);
  }

  private _replace(sessions: ISession[]): void {
    const same = JSONExt.deepEqual(shown(sessions), shown(this._all));
    this._all = sessions;
    if (!same) {
      this._changed.emit();
    }
  }

  private _onEvent(_: unknown, event: Event.Emission): void {
    if (event.schema_id === SESSION_EVENT) {
      void this._lookAgain();
    }
  }

  /** Looks once more after a look that is under way: it may have missed what is being told now. */
  private async _lookAgain(): Promise<void> {
    this._missed = true;
    if (this._looking) {
      return;
    }
    this._looking = true;
    while (this._missed && !this.isDisposed) {
      this._missed = false;
      await this.refresh().catch(() => undefined); // the poll itself comes back to it
    }
    this._looking = false;
  }

  private _all: ISession[] = [];
  private _looking = false;
  private _missed = false;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _poll: Poll<void, Error>;
  private readonly _settings: ServerConnection.ISettings;
  private readonly _stream: Event.Stream | null;
}

/** The sessions without the clock in them, which is another at every look. */
function shown(sessions: readonly ISession[]): ReadonlyJSONValue {
  const timeless = sessions.map(session => ({ ...session, walltime_left: null }));
  return timeless as unknown as JSONValue;
}
