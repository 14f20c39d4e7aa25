// Keeps one websocket to the server: asks once a second, and hears of changes at once.

import { mark } from '../shared/log.js';
import { backoff } from './clocks.js';

/** A handshake that takes longer than this is given up and begun anew. */
const OPEN_MS = 3000;

/**
 * @typedef {object} Hooks
 * @property {() => Record<string, unknown>} beat what each message says
 * @property {(answer: import("../types").Answer) => void} heard
 * @property {() => void} opened
 * @property {() => void} down
 */

export class Live {
  /**
   * @param {string} url
   * @param {Hooks} hooks
   */
  constructor(url, hooks) {
    this.url = url;
    this.hooks = hooks;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.attempt = 0;
    this.over = false;
    /** @type {number | undefined} */
    this.timer = undefined;
    this.open();
  }

  /** Whether the line is open. */
  get up() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  open() {
    clearTimeout(this.timer);
    this.forget();
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.timer = setTimeout(() => this.fail('no answer'), OPEN_MS);
    socket.onopen = () => {
      clearTimeout(this.timer);
      this.attempt = 0;
      mark('live-open');
      this.hooks.opened();
      this.ask();
    };
    socket.onmessage = (/** @type {MessageEvent<string>} */ event) => {
      const answer = /** @type {unknown} */ (JSON.parse(event.data));
      this.hooks.heard(/** @type {import("../types").Answer} */ (answer));
    };
    socket.onclose = event => this.fail(`closed ${event.code}`);
  }

  /** A socket into a black hole says "closed" minutes later: by then it must not be heard. */
  forget() {
    const socket = this.socket;
    this.socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  /**
   * Drops the line and opens another soon.
   * @param {string} why
   */
  fail(why) {
    clearTimeout(this.timer);
    this.forget();
    if (this.over) {
      return;
    }
    mark('live-down', why);
    this.hooks.down();
    this.timer = setTimeout(() => this.open(), backoff(this.attempt++));
  }

  /** Asks now. */
  ask() {
    if (this.up) {
      this.socket?.send(JSON.stringify({ t: Math.round(performance.now()), ...this.hooks.beat() }));
    }
  }

  /** The session is over: no more lines. */
  close() {
    this.over = true;
    clearTimeout(this.timer);
    this.forget();
  }
}
