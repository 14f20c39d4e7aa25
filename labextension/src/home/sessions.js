// Shows the sessions, one row each; rows stay in place while their content changes, so that no focus is lost.

import { duration, element, isFinal, STATE_WORDS, staleWords } from '../shared/text.js';
import { make } from './apps.js';

/**
 * @typedef {object} Actions
 * @property {(session: import("../types").Session) => void} end
 * @property {(session: import("../types").Session) => void} forget
 * @property {(session: import("../types").Session) => void} log
 */

class Row {
  /** @param {Actions} actions */
  constructor(actions) {
    /** @type {import("../types").Session | null} */
    this.session = null;
    this.root = make('li', 'session');
    this.title = document.createElement('a');
    this.title.className = 'session-title';
    this.title.target = '_blank';
    this.state = make('span', 'state');
    this.id = make('span', 'soft');
    this.reason = make('p', 'reason soft');
    this.end = this.button('End', 'danger', actions.end);
    this.log = this.button('Log', '', actions.log);
    this.forget = this.button('Remove', '', actions.forget);
    const head = make('p', 'session-head');
    head.append(this.title, this.state, this.id);
    const words = make('div', 'session-words');
    words.append(head, this.reason);
    const buttons = make('div', 'actions');
    buttons.append(this.log, this.end, this.forget);
    this.root.append(words, buttons);
  }

  /**
   * @param {string} text
   * @param {string} className
   * @param {(session: import("../types").Session) => void} action
   */
  button(text, className, action) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = className;
    button.textContent = text;
    button.addEventListener('click', () => {
      if (this.session) {
        action(this.session);
      }
    });
    return button;
  }

  /** @param {import("../types").Session} session */
  show(session) {
    this.session = session;
    const over = isFinal(session.state);
    this.root.dataset.state = session.state;
    this.root.dataset.job = session.id;
    this.title.href = session.url;
    this.title.textContent = session.title;
    this.state.textContent = STATE_WORDS[session.state];
    this.id.textContent = facts(session).join(' · ');
    this.reason.textContent = `${staleWords(session.stale_since)} ${session.reason ?? ''}`.trim();
    this.reason.hidden = !this.reason.textContent;
    this.end.hidden = over || session.state === 'ENDING';
    this.forget.hidden = !over;
    for (const [button, verb] of /** @type {const} */ ([
      [this.end, 'End'],
      [this.log, 'Log of'],
      [this.forget, 'Remove'],
    ])) {
      button.setAttribute('aria-label', `${verb} ${session.title} ${session.id}`);
    }
  }
}

/**
 * @param {import("../types").Session} session
 * @returns {string[]}
 */
function facts(session) {
  const node = session.job.node && !isFinal(session.state) ? [session.job.node] : [];
  const left = session.walltime_left === null ? [] : [`${duration(session.walltime_left)} left`];
  const app = session.name === session.app ? [] : [session.app];
  return [...app, session.id, ...node, ...left];
}

export class SessionList {
  /**
   * @param {Actions} actions
   * @param {(text: string) => void} announce
   */
  constructor(actions, announce) {
    this.actions = actions;
    this.announce = announce;
    this.list = element('sessions', HTMLElement);
    this.ended = element('ended', HTMLElement);
    this.endedBox = element('ended-box', HTMLDetailsElement);
    this.endedCount = element('ended-count', HTMLElement);
    this.empty = element('no-sessions', HTMLElement);
    /** @type {Map<string, Row>} */
    this.rows = new Map();
  }

  /** @param {import("../types").Session[]} sessions newest first */
  show(sessions) {
    for (const [id, row] of this.rows) {
      if (!sessions.some(session => session.id === id)) {
        row.root.remove();
        this.rows.delete(id);
      }
    }
    const ended = sessions.filter(session => isFinal(session.state));
    const running = sessions.filter(session => !isFinal(session.state));
    this.fill(this.list, running);
    this.fill(this.ended, ended);
    this.endedBox.hidden = ended.length === 0;
    this.endedCount.textContent = String(ended.length);
    this.empty.hidden = running.length > 0;
    this.empty.textContent = 'None is running. Start a program below: it opens in a tab of its own.';
  }

  /**
   * @param {HTMLElement} list
   * @param {import("../types").Session[]} sessions
   */
  fill(list, sessions) {
    sessions.forEach((session, place) => {
      this.put(list, session, place);
    });
  }

  /**
   * @param {HTMLElement} list
   * @param {import("../types").Session} session
   * @param {number} place
   */
  put(list, session, place) {
    const row = this.rows.get(session.id) ?? new Row(this.actions);
    const before = row.session?.state;
    if (before && before !== session.state) {
      // A failure is not tucked away before it was seen.
      this.endedBox.open ||= session.state === 'FAILED';
      this.announce(`${session.title} ${session.id}: ${STATE_WORDS[session.state]}`);
    }
    this.rows.set(session.id, row);
    row.show(session);
    if (list.children[place] !== row.root) {
      list.insertBefore(row.root, list.children[place] ?? null);
    }
  }
}
