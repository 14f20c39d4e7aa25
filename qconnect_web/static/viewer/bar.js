// The bar above the picture: what runs, for how long, and the buttons.

import { ApiError, call } from '../shared/api.js';
import { duration, element, STATE_WORDS } from '../shared/text.js';

const WARN_S = 600;

/**
 * @typedef {object} Actions
 * @property {() => void} keyboard give the keyboard to the program, or take it back
 * @property {(on: boolean) => void} viewOnly
 * @property {() => void} fullWindow
 * @property {() => void} clipboard
 * @property {() => void} takeSize
 */

export class Bar {
  /** @param {Actions} actions */
  constructor(actions) {
    this.root = element('bar', HTMLElement);
    this.title = element('bar-title', HTMLElement);
    this.state = element('bar-state', HTMLElement);
    this.left = element('bar-left', HTMLElement);
    this.keyboard = element('keyboard', HTMLButtonElement);
    this.keyboardWords = element('keyboard-words', HTMLElement);
    this.view = element('view-only', HTMLButtonElement);
    this.full = element('full-window', HTMLButtonElement);
    this.board = element('clipboard', HTMLButtonElement);
    this.size = element('take-size', HTMLButtonElement);
    this.end = element('end-session', HTMLButtonElement);
    this.announcer = element('announcer', HTMLElement);
    this.warned = false;
    this.session = '';
    this.keyboard.addEventListener('click', actions.keyboard);
    this.full.addEventListener('click', actions.fullWindow);
    this.board.addEventListener('click', actions.clipboard);
    this.size.addEventListener('click', actions.takeSize);
    this.view.addEventListener('click', () => {
      actions.viewOnly(this.view.getAttribute('aria-pressed') !== 'true');
    });
    this.full.hidden = !document.fullscreenEnabled;
    this.wireEnd();
  }

  /**
   * @param {import("./phase.js").Phase} phase
   * @param {import("../types").Session | null} session
   * @param {{title: string, keys: boolean, guest: boolean}} shown
   */
  render(phase, session, { title, keys, guest }) {
    const live = phase === 'live';
    this.root.dataset.phase = phase;
    this.title.textContent = title;
    this.state.textContent = session ? stateWords(phase, session) : '';
    this.keyboardWords.textContent = live && keys ? 'Release keyboard' : 'Use keyboard';
    this.keyboard.dataset.held = String(live && keys);
    for (const button of [this.keyboard, this.view, this.board]) {
      button.disabled = !live;
    }
    this.size.hidden = !(live && guest);
    this.end.hidden = !session || phase === 'ended' || session.state === 'ENDING';
    this.session = session?.id ?? '';
    this.renderLeft(session);
  }

  /** @param {import("../types").Session | null} session */
  renderLeft(session) {
    const left = session?.walltime_left;
    const known = typeof left === 'number';
    this.left.hidden = !known;
    if (!known) {
      return;
    }
    const short = left < WARN_S;
    this.left.textContent = `${duration(left)} left`;
    this.left.classList.toggle('short', short);
    if (short && !this.warned) {
      this.warned = true;
      this.announce(`The session ends in ${duration(left)}. Save your work.`);
    }
  }

  /** @param {boolean} on */
  showViewOnly(on) {
    this.view.setAttribute('aria-pressed', String(on));
  }

  /** @param {string} text said to people who do not see the page */
  announce(text) {
    this.announcer.textContent = text;
  }

  /** A question before the end: the one button here that can cost work. */
  wireEnd() {
    const dialog = element('end-dialog', HTMLDialogElement);
    const confirm = element('end-confirm', HTMLButtonElement);
    const problem = element('end-problem', HTMLElement);
    this.end.addEventListener('click', () => {
      problem.textContent = '';
      dialog.showModal();
    });
    element('end-cancel', HTMLButtonElement).addEventListener('click', () => dialog.close());
    confirm.addEventListener('click', () => {
      confirm.disabled = true;
      call(`sessions/${this.session}/stop`, { method: 'POST', data: {} })
        .then(() => {
          dialog.close();
        })
        .catch((/** @type {unknown} */ error) => {
          problem.textContent = error instanceof ApiError ? error.message : String(error);
        })
        .finally(() => {
          confirm.disabled = false;
        });
    });
  }
}

/**
 * @param {import("./phase.js").Phase} phase
 * @param {import("../types").Session} session
 */
function stateWords(phase, session) {
  const words = phase === 'reconnecting' ? 'Reconnecting' : STATE_WORDS[session.state];
  return session.job.node && session.state === 'READY' ? `${words} on ${session.job.node}` : words;
}
