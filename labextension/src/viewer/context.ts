/** What all parts of the page are given. */
import type { IServer } from '../core/request';
import type { ITrans } from '../core/trans';

export interface IContext {
  readonly server: IServer;
  readonly trans: ITrans;
}
