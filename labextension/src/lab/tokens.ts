/** The services that this extension's plugins share, and that other extensions may ask for. */
import { Token } from '@lumino/coreutils';
import type { LabIcon } from '@jupyterlab/ui-components';

import type { IAppList } from '../core/apps';
import type { ISessionList } from '../core/sessions';

/** The live list of the user's sessions: one model, however many views. */
export type ISessions = ISessionList;

/** The site's catalogue of apps, with their icons. */
export interface IApps extends IAppList {
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
