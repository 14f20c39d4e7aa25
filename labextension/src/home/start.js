// Starts a program once per click, in a tab that no popup blocker eats.

import { ApiError, call, randomId } from '../shared/api.js';
import { mark } from '../shared/log.js';

/**
 * A tab that is opened in the click itself; null when the browser does not even allow that.
 * @param {string} title
 */
function openTab(title) {
  const tab = window.open('about:blank', '_blank');
  if (tab) {
    tab.document.title = `… ${title}`;
    tab.document.body.textContent = `Starting ${title}…`;
    tab.opener = null;
  }
  return tab;
}

/** @param {Error} error the same request may be sent again: the server may have carried it out */
function worthRepeating(error) {
  return error instanceof ApiError && (error.status === 0 || error.status === 502);
}

/**
 * @typedef {object} Outcome
 * @property {import("../types").Session | null} session
 * @property {string} problem what to tell the user; empty when all went well
 */

export class Starter {
  constructor() {
    /** Requests that may have been carried out, by app: a second click is the same request. @type {Map<string, string>} */
    this.keys = new Map();
    /** @type {Set<string>} */
    this.busy = new Set();
  }

  /**
   * Call it in the click. A click while the first one is under way does nothing.
   * @param {import("../types").App} app
   * @param {string[]} [command]
   * @returns {Promise<Outcome>}
   */
  async start(app, command) {
    if (this.busy.has(app.name)) {
      return { session: null, problem: '' };
    }
    this.busy.add(app.name);
    const tab = openTab(app.title);
    const request = JSON.stringify([app.name, command]);
    const key = this.keys.get(request) ?? randomId();
    this.keys.set(request, key);
    try {
      const data = { app: app.name, ...(command ? { command } : {}) };
      const found = await call('sessions', { method: 'POST', data, key });
      this.keys.delete(request);
      const session = /** @type {import("../types").Session} */ (found);
      return { session, problem: this.show(tab, session) };
    } catch (error) {
      tab?.close();
      const failure = error instanceof Error ? error : new Error(String(error));
      if (!worthRepeating(failure)) {
        this.keys.delete(request);
      }
      return { session: null, problem: failure.message };
    } finally {
      this.busy.delete(app.name);
    }
  }

  /**
   * @param {Window | null} tab
   * @param {import("../types").Session} session
   */
  show(tab, session) {
    mark('started', session.id);
    if (!tab || tab.closed) {
      return tab ? '' : 'The browser did not open a tab. Open the session in the list above.';
    }
    tab.location.replace(session.url);
    return '';
  }
}
