// The room in front of the picture: what is waited for, why it ended, and what can be done.

import { ApiError, baseUrl, call, randomId } from '../shared/api.js';
import { mark } from '../shared/log.js';
import { clock, element } from '../shared/text.js';
import { saying, troubled } from './words.js';

/**
 * Puts text into an element when it changed, so that it is announced once.
 * @param {HTMLElement} target
 * @param {string} text
 */
function say(target, text) {
  if (target.textContent !== text) {
    target.textContent = text;
  }
  target.hidden = !text;
}

export class Room {
  /** @param {import("./way.js").Way} way */
  constructor(way) {
    this.root = element('room', HTMLElement);
    this.title = element('room-title', HTMLElement);
    this.line = element('room-line', HTMLElement);
    this.note = element('room-note', HTMLElement);
    this.elapsed = element('room-elapsed', HTMLElement);
    this.problem = element('room-problem', HTMLElement);
    this.again = element('start-again', HTMLButtonElement);
    this.login = element('login', HTMLButtonElement);
    this.retry = element('try-again', HTMLButtonElement);
    this.logBox = element('log-box', HTMLDetailsElement);
    this.logText = element('log-text', HTMLElement);
    this.logOf = '';
    this.key = randomId();
    /** @type {import("../types").Session | null} */
    this.session = null;
    this.again.addEventListener('click', () => void this.startAgain());
    this.login.addEventListener('click', () => location.reload());
    this.retry.addEventListener('click', () => {
      way.tryAgain();
    });
    this.logBox.addEventListener('toggle', () => void this.showLog());
  }

  /**
   * @param {import("./phase.js").Phase} phase
   * @param {import("../types").Session | null} session
   * @param {import("./words.js").Situation & {picture: boolean}} state
   */
  render(phase, session, state) {
    this.session = session;
    const said = saying(phase, session, state);
    this.root.dataset.phase = phase;
    this.root.dataset.tone = said.tone;
    this.root.classList.toggle('over-picture', state.picture && phase !== 'ended');
    this.root.hidden = phase === 'live';
    say(this.title, said.title);
    say(this.line, said.line);
    say(this.note, said.note);
    this.again.hidden = phase !== 'ended';
    this.login.hidden = phase !== 'locked-out';
    const stuck = troubled(phase, state) !== null;
    this.retry.hidden = !stuck;
    this.root.dataset.stuck = String(stuck);
    this.logBox.hidden = phase !== 'ended';
    this.renderElapsed(phase, session);
    const shown = `${session?.id} ${session?.state}`;
    if (phase === 'ended' && session?.state === 'FAILED' && this.logOf !== shown) {
      this.logOf = shown;
      this.logBox.open = true; // the toggle event fetches it
    }
  }

  /**
   * @param {import("./phase.js").Phase} phase
   * @param {import("../types").Session | null} session
   */
  renderElapsed(phase, session) {
    const waits = session && (phase === 'waiting' || phase === 'connecting') && session.state !== 'ENDING';
    const since = waits ? (Date.now() - Date.parse(session.created)) / 1000 : 0;
    // A clock that is off by more than this says nothing about the wait.
    say(this.elapsed, waits && since >= 0 && since < 1e7 ? clock(since) : '');
  }

  async showLog() {
    if (!this.logBox.open || !this.session) {
      return;
    }
    try {
      const found = await call(`sessions/${this.session.id}/log`);
      const text = found && typeof found === 'object' && 'log' in found ? String(found.log) : '';
      this.logText.textContent = text.trim() || 'The session wrote no log.';
    } catch (error) {
      this.logText.textContent = error instanceof ApiError ? error.message : String(error);
    }
    this.logText.scrollTop = this.logText.scrollHeight;
  }

  /** Starts the same once more; the key makes a second click the same request. */
  async startAgain() {
    const session = this.session;
    if (!session || this.again.disabled) {
      return;
    }
    this.again.disabled = true;
    say(this.problem, '');
    try {
      const started = await call('sessions', {
        method: 'POST',
        data: await request(session),
        key: this.key,
      });
      mark('started-again');
      location.assign(/** @type {import("../types").Session} */ (started).url);
    } catch (error) {
      say(this.problem, error instanceof ApiError ? error.message : String(error));
      this.key = randomId();
      this.again.disabled = false;
    }
  }
}

/**
 * The request that starts a session like this one; its command only where the app takes one.
 * @param {import("../types").Session} session
 */
async function request(session) {
  const found = /** @type {{apps: import("../types").App[]}} */ (await call('apps'));
  const app = found.apps.find(item => item.name === session.app);
  const spec = Object.fromEntries(
    Object.entries(session.spec).filter(([, value]) => value !== null && value !== ''),
  );
  return { app: session.app, spec, ...(app?.takes_command ? { command: session.command } : {}) };
}

/** The address of the list of all sessions. */
export const homeUrl = `${baseUrl}qconnect/`;
