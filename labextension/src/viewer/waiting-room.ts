/** The room in front of the picture: what is waited for, why it ended, and what can be done. */
import { spawnFor } from '../core/address';
import { getCatalogue, getLog } from '../core/api';
import { linkTo } from '../core/launch-link';
import { mark } from '../core/marks';
import type { ISession, IStartRequest } from '../core/models';
import type { IServer } from '../core/request';
import { Starter } from '../core/start';
import { clock, explain } from '../core/text';
import type { IContext } from './context';
import { element } from './element';
import type { NodeLogin } from './node-login';
import type { Phase } from './phase';
import { sayingOf, troubleOf, type IWaitingState } from './waiting-words';

/** Puts text into an element when it changed, so that it is announced once. */
function say(target: HTMLElement, text: string): void {
  if (target.textContent !== text) {
    target.textContent = text;
  }
  target.hidden = !text;
}

export class WaitingRoom {
  constructor(context: IContext, login: NodeLogin) {
    this._context = context;
    this._starter = new Starter(context.server);
    this._again.addEventListener('click', () => void this._startAgain());
    this._login.addEventListener('click', logIn);
    this._spawn.href = spawnFor(context.server.spawnUrl ?? '', location.href);
    this._retry.addEventListener('click', () => login.tryAgain());
    this._logBox.addEventListener('toggle', () => void this._showLog());
  }

  render(phase: Phase, session: ISession | null, state: IWaitingState & { picture: boolean }): void {
    this._session = session;
    const said = sayingOf(phase, session, state, this._context.trans);
    this._root.dataset['phase'] = phase;
    this._root.dataset['tone'] = said.tone;
    const itself = phase === 'ended' || phase === 'windowless'; // there is nothing to see behind it
    this._root.classList.toggle('over-picture', state.picture && !itself);
    this._root.hidden = phase === 'live';
    say(this._title, said.title);
    say(this._line, said.line);
    say(this._note, said.note);
    this._again.hidden = this._change.hidden = phase !== 'ended';
    if (session && phase === 'ended') {
      this._change.href = `${this._context.server.baseUrl}qconnect/?${linkTo(session)}`;
    }
    this._login.hidden = phase !== 'locked-out';
    this._spawn.hidden = phase !== 'stopped' || this._context.server.spawnUrl === null;
    const stuck = troubleOf(phase, state) !== null;
    this._retry.hidden = !stuck;
    this._root.dataset['stuck'] = String(stuck);
    this._logBox.hidden = !itself;
    this._renderElapsed(phase, session);
    this._openLog(phase, session);
  }

  private _renderElapsed(phase: Phase, session: ISession | null): void {
    const waits = session && (phase === 'waiting' || phase === 'connecting') && session.state !== 'ENDING';
    const since = waits ? (Date.now() - Date.parse(session.created)) / 1000 : 0;
    // A clock that is off by more than this says nothing about the wait.
    say(this._elapsed, waits && since >= 0 && since < 1e7 ? clock(since) : '');
  }

  /** Opens the log of a session that failed, once. */
  private _openLog(phase: Phase, session: ISession | null): void {
    if (phase === 'ended' && session?.state === 'FAILED' && this._logOf !== session.id) {
      this._logOf = session.id;
      this._logBox.open = true; // the toggle event fetches it
    }
  }

  private async _showLog(): Promise<void> {
    if (!this._logBox.open || !this._session) {
      return;
    }
    const { server, trans } = this._context;
    try {
      const log = await getLog(server, this._session.id);
      this._logText.textContent = log.trim() || trans.__('The session wrote no log.');
    } catch (error) {
      this._logText.textContent = explain(error, trans);
    }
    this._logText.scrollTop = this._logText.scrollHeight;
  }

  /** Starts the same once more. */
  private async _startAgain(): Promise<void> {
    const session = this._session;
    if (!session || this._again.disabled) {
      return;
    }
    this._again.disabled = true;
    say(this._problem, '');
    try {
      const started = await this._starter.start(await requestLike(session, this._context.server));
      mark('started-again');
      location.assign(started.url);
    } catch (error) {
      say(this._problem, explain(error, this._context.trans));
      this._again.disabled = false;
    }
  }

  private _session: ISession | null = null;
  private _logOf = '';
  private readonly _context: IContext;
  private readonly _starter: Starter;
  private readonly _root = element('room', HTMLElement);
  private readonly _title = element('room-title', HTMLElement);
  private readonly _line = element('room-line', HTMLElement);
  private readonly _note = element('room-note', HTMLElement);
  private readonly _elapsed = element('room-elapsed', HTMLElement);
  private readonly _problem = element('room-problem', HTMLElement);
  private readonly _again = element('start-again', HTMLButtonElement);
  private readonly _change = element('start-changed', HTMLAnchorElement);
  private readonly _login = element('login', HTMLButtonElement);
  private readonly _spawn = element('spawn', HTMLAnchorElement);
  private readonly _retry = element('try-again', HTMLButtonElement);
  private readonly _logBox = element('log-box', HTMLDetailsElement);
  private readonly _logText = element('log-text', HTMLElement);
}

/** The request that starts a session like this one; its command only where the app takes one. */
async function requestLike(session: ISession, server: IServer): Promise<IStartRequest> {
  const { apps } = await getCatalogue(server);
  const app = apps.find(item => item.name === session.app);
  const spec = Object.fromEntries(
    Object.entries(session.spec).filter(([, value]) => value !== null && value !== ''),
  );
  return { app: session.app, spec, ...(app?.takes_command && { command: session.command }) };
}

/** Comes back here through the login. In JupyterLab that may refuse to be shown in a frame: it gets a tab of its own. */
function logIn(): void {
  if (window.parent === window) {
    location.reload();
  } else {
    window.open(location.href, '_blank', 'noopener');
  }
}
