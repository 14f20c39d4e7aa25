/** The services that this extension's plugins share, and that other extensions may ask for. */
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import type { LabIcon } from '@jupyterlab/ui-components';

import type { IApp, ISession, IStartRequest } from '../core/models';

/** The live list of the user's sessions: one model, however many views. */
export interface ISessions {
  /** All sessions that the server told of, ended ones too; newest first. */
  readonly all: readonly ISession[];

  /** Emitted when what a view shows of any session is another than before. */
  readonly changed: ISignal<ISessions, void>;

  /** Emitted after each look at the server's list, with the error of one that failed. */
  readonly looked: ISignal<ISessions, Error | null>;

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

/** The site's catalogue of apps. */
export interface IApps {
  /** All apps in the site's order, those that cannot run here too. */
  readonly all: readonly IApp[];

  /** What is wrong with app files that are therefore not used, a sentence each. */
  readonly problems: readonly string[];

  /** The path of `qconnect`, the command, on the server. */
  readonly program: string;

  /** Whether the server has told of its apps yet. */
  readonly loaded: boolean;

  /** Emitted when the catalogue was loaded and is another than before. */
  readonly changed: ISignal<IApps, void>;

  /** Emitted with the error when the catalogue could not be loaded; it is tried again by itself. */
  readonly failed: ISignal<IApps, unknown>;

  /** The app of that name, if there is one. */
  find(name: string): IApp | undefined;

  /** The app's icon; a general one for apps that have none or are not known. */
  icon(name: string): LabIcon;
}

export const ISessions = new Token<ISessions>(
  'qconnect-web:ISessions',
  'The live list of the sessions of QConnect: start, find and stop them.',
);

export const IApps = new Token<IApps>(
  'qconnect-web:IApps',
  'The catalogue of the programs that QConnect can start.',
);
