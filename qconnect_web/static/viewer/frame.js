// One iframe with the HTML5 client in it, and the messages between it and this page.

import { mark } from '../shared/log.js';

const PARAMS = {
  reconnect: 'false',
  sharing: 'true',
  steal: 'true',
  sound: 'false',
  printing: 'false',
  remote_logging: 'false',
  floating_menu: 'false',
  clock: 'false',
  video: 'false',
  hold: '1',
};

/**
 * @typedef {"loading" | "held" | "connecting" | "opened" | "painted" | "closed"} Stage
 * @typedef {(frame: Frame, event: string, data: Record<string, unknown>) => void} Listener
 */

let count = 0;

export class Frame {
  /**
   * @param {HTMLElement} stage where it is shown
   * @param {import("../types").ClientAddress} address
   * @param {Listener} listener
   */
  constructor(stage, address, listener) {
    this.number = ++count;
    this.address = address;
    this.listener = listener;
    /** @type {Stage} */
    this.state = 'loading';
    this.since = performance.now();
    this.attempts = 0;
    /** The program's title, as last heard. */
    this.title = '';
    /** Whether its websocket was open once. */
    this.reached = false;
    /** An unknown client version: it connects by itself and tells nothing. */
    this.blind = false;
    this.element = document.createElement('iframe');
    this.element.title = 'Program';
    this.element.className = 'display coming';
    this.element.allow = 'clipboard-read; clipboard-write; fullscreen; keyboard-map';
    if (address.sandbox) {
      this.element.setAttribute('sandbox', 'allow-scripts allow-downloads allow-pointer-lock');
    }
    this.element.referrerPolicy = 'no-referrer';
    this.element.src = `${address.url}#${new URLSearchParams({ ...PARAMS, path: address.path })}`;
    stage.prepend(this.element);
    mark('frame', { number: this.number, sandbox: address.sandbox });
  }

  /** @param {Stage} state */
  become(state) {
    this.state = state;
    this.since = performance.now();
  }

  /**
   * @param {string} command
   * @param {Record<string, unknown>} [data]
   */
  tell(command, data = {}) {
    this.element.contentWindow?.postMessage({ qconnect: 'page', command, data }, '*');
  }

  /** Connects, for the first time or once more. */
  go() {
    mark('go', { number: this.number, attempt: this.attempts });
    this.attempts++;
    this.become('connecting');
    this.tell('go');
  }

  /** Shows the picture: it has painted. */
  show() {
    this.become('painted');
    this.element.classList.remove('coming');
  }

  /**
   * Takes a message of the agent in this frame; anything that does not look like one is left alone.
   * @param {unknown} message
   */
  take(message) {
    if (!message || typeof message !== 'object' || !('qconnect' in message) || message.qconnect !== 'agent') {
      return;
    }
    const event = 'event' in message ? message.event : null;
    const data = 'data' in message ? message.data : null;
    if (typeof event !== 'string' || !data || typeof data !== 'object') {
      return;
    }
    this.listener(this, event, /** @type {Record<string, unknown>} */ (data));
  }

  remove() {
    this.element.remove();
  }
}
