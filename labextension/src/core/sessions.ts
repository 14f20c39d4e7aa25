/** The list of sessions, held once for all views of a page. */
import type { ReadonlyJSONValue } from '@lumino/coreutils';
import { JSONExt } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { ISession, IStartRequest } from './models';
import { forgetSession, listSessions, stopSession } from './api';
import { Looks } from './looks';
import type { IServer } from './request';
import { Starter } from './start';
import { isPending } from './states';

/** The schema of the events by which the server says that a session changed. */
export const SESSION_EVENT = 'https://qconnect-web.readthedocs.io/events/session/v1';

/**
 * Milliseconds between two looks.
 *
 * Where the server's events arrive they make it quick, and the look makes it certain; elsewhere the look has to be
 * quick as well.
 */
const PACE = { heard: 15_000, pending: 2_000, quiet: 6_000 };

/** The server's events, as far as they are of use here. */
export interface IEvents {
  readonly emitted: ISignal<unknown, { readonly schema_id: string }>;
  /** Whether events arrive just now. */
  readonly connected: boolean;
}

/** The live list of the user's sessions: one model, however many views. */
export interface ISessionList {
  /** All sessions that the server told of, ended ones too; newest first. */
  readonly all: readonly ISession[];

  /** Emitted when what a view shows of any session is another than before. */
  readonly changed: ISignal<ISessionList, void>;

  /** Emitted after each look at the server's list, with the error of one that failed. */
  readonly looked: ISignal<ISessionList, Error | null>;

  /** Asks the server now; rejects when it does not answer. */
  refresh(): Promise<void>;

  /** The session of that id, if the server told of it. */
  find(id: string): ISession | undefined;

  /** Starts an app; rejects with the server's word when it will not. */
  start(request: IStartRequest): Promise<ISession>;

  /** Stops a session and its job; one that ended already is no error. */
  stop(id: string): Promise<void>;

  /** Forgets an ended session and its logs. */
  forget(id: string): Promise<void>;
}

/** What a SessionModel needs. */
export interface ISessionModelOptions {
  server: IServer;
  /** Where the server's events arrive; without it the model only looks. */
  events?: IEvents;
}

/** Looks at the server's list, listens to its events, and tells views when something that they show has changed. */
export class SessionModel implements ISessionList, IDisposable {
  constructor(options: ISessionModelOptions) {
    this._server = options.server;
    this._starter = new Starter(options.server);
    this._events = options.events ?? null;
    this._looks = new Looks({
      name: 'sessions',
      look: async () => this._replace(await listSessions(this._server)),
      pace: () => this._pace(),
      looked: error => this._looked.emit(error),
    });
    this._events?.emitted.connect(this._onEvent, this);
  }

  get all(): readonly ISession[] {
    return this._all;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get looked(): ISignal<this, Error | null> {
    return this._looked;
  }

  get isDisposed(): boolean {
    return this._looks.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._events?.emitted.disconnect(this._onEvent, this);
    this._looks.dispose();
    Signal.clearData(this);
  }

  async refresh(): Promise<void> {
    await this._looks.refresh();
  }

  /** Asks the server now, if it did not answer. */
  hurry(): void {
    this._looks.hurry();
  }

  find(id: string): ISession | undefined {
    return this._all.find(session => session.id === id);
  }

  async start(request: IStartRequest): Promise<ISession> {
    const started = await this._starter.start(request);
    this._put(started);
    return started;
  }

  async stop(id: string): Promise<void> {
    this._put(await stopSession(this._server, id));
  }

  async forget(id: string): Promise<void> {
    await forgetSession(this._server, id);
    this._replace(this._all.filter(session => session.id !== id));
  }

  private _pace(): number {
    const pending = this._all.some(({ state }) => isPending(state));
    return PACE[this._events?.connected ? 'heard' : pending ? 'pending' : 'quiet'];
  }

  /** A started session is the newest; one that is known keeps its place. */
  private _put(session: ISession): void {
    const known = this._all.some(other => other.id === session.id);
    const replaced = this._all.map(other => (other.id === session.id ? session : other));
    this._replace(known ? replaced : [session, ...this._all]);
  }

  private _replace(sessions: readonly ISession[]): void {
    const same = JSONExt.deepEqual(shown(sessions), shown(this._all));
    this._all = sessions;
    if (!same) {
      this._changed.emit();
    }
  }

  private _onEvent(_: unknown, event: { readonly schema_id: string }): void {
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
      await this.refresh().catch(() => undefined); // the looks go on by themselves
    }
    this._looking = false;
  }

  private _all: readonly ISession[] = [];
  private _looking = false;
  private _missed = false;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _looked = new Signal<this, Error | null>(this);
  private readonly _events: IEvents | null;
  private readonly _looks: Looks;
  private readonly _server: IServer;
  private readonly _starter: Starter;
}

/** The sessions without the clock in them, which is another at every look. */
function shown(sessions: readonly ISession[]): ReadonlyJSONValue {
  const timeless = sessions.map(session => ({ ...session, walltime_left: null }));
  return timeless;
}
