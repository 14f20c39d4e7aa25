/** What an answer says of the server when it is not the server's own: pure, for every page. */

/**
 * Why the server itself does not speak: nobody does, or something in its place (`away`: it may be back at any time);
 * a hub says that it is not running; or who asks is not known, or no longer.
 */
export type Absence = 'away' | 'stopped' | 'logged-out';

/** What an answer that is no JSON of ours, or an error, has told. */
export interface IAnswer {
  status: number;
  /** Whether it came from another address than the one that was asked. */
  redirected: boolean;
  /** Its sentence and its word for programs, where it has them; each error of ours has both. */
  word: string | null;
  reason: string | null;
}

/** The reasons that go with a 401 or 403 when it is about the login. */
const ABOUT_LOGIN = [null, 'forbidden', 'unauthorized'];

/** How JupyterHub's answer for a server that it has stopped begins, by whatever status (424; of old 503). */
const HUB_STOPPED = 'JupyterHub server no longer running';

/** Null: the server itself has spoken. */
export function absenceIn({ status, redirected, word, reason }: IAnswer): Absence | null {
  if ((status === 401 || status === 403) && ABOUT_LOGIN.includes(reason)) {
    return 'logged-out';
  }
  if (reason !== null) {
    return null;
  }
  if (status === 424 || word?.startsWith(HUB_STOPPED)) {
    return 'stopped';
  }
  return status < 400 && redirected ? 'logged-out' : 'away';
}
