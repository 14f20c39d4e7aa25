// Keeps the program's picture: the frame that shows it, and the next one that loads under it.

import { mark } from '../shared/log.js';
import { backoff } from './clocks.js';
import { Frame } from './frame.js';

const LOAD_MS = 20000;
const PAINT_MS = 15000;
/** After so many failed attempts a frame is loaded anew: something in it may be broken. */
const ATTEMPTS = 8;

/**
 * @typedef {object} Hooks
 * @property {(event: string, data: Record<string, unknown>) => void} event what the shown client says
 * @property {() => void} painted
 * @property {(why: string) => void} lost
 * @property {() => void} moved something may be due now
 * @property {() => void} opened a frame is on the stage
 *
 * @typedef {object} Situation
 * @property {boolean} ready whether the session's display is there, and nobody is asked about the way to it
 * @property {boolean} linked whether the server answers
 * @property {boolean} visible whether anybody could see it: hidden tabs do not paint
 * @property {boolean} over whether the session has ended
 * @property {boolean} empty whether a display without any window is as it should be: a terminal's
 * @property {import("../types").ClientAddress | null} address
 */

/**
 * How long a connection may take to open: longer each time, as some nodes are far and some are slow.
 * @param {number} attempts
 */
export function patience(attempts) {
  return Math.min(10000, 2000 + 1000 * attempts);
}

export class Display {
  /**
   * @param {HTMLElement} stage
   * @param {Hooks} hooks
   */
  constructor(stage, hooks) {
    this.stage = stage;
    this.hooks = hooks;
    /** @type {Frame | null} */
    this.current = null;
    /** @type {Frame | null} */
    this.next = null;
    /** Why the connection of the shown picture is gone. @type {string | null} */
    this.lost = null;
    this.readonly = false;
    this.suspended = false;
    window.addEventListener('message', event => {
      const frame = this.frames().find(item => item.element.contentWindow === event.source);
      frame?.take(event.data);
    });
  }

  /** @returns {Frame[]} */
  frames() {
    return [this.current, this.next].filter(frame => frame !== null);
  }

  /** Whether a frame should be loaded: then the server is asked from where. */
  get wanting() {
    return !this.next && (!this.current || this.lost !== null);
  }

  /**
   * The shown picture is no longer alive; it stays until another is there.
   * @param {string} why
   */
  lose(why) {
    if (this.current && this.lost === null) {
      this.lost = why;
      mark('lost', why);
      this.hooks.lost(why);
    }
  }

  /**
   * Does what is due now.
   * @param {Situation} situation
   */
  steer(situation) {
    const { over, visible, linked, address } = situation;
    if (over || (this.current && this.lost === null)) {
      this.dropNext('not needed');
      return;
    }
    if (!visible || !linked) {
      if (this.next) {
        this.next.since = performance.now(); // it cannot make progress: its time does not run
      }
      return;
    }
    if (this.next && address && !address.sandbox && address.url !== this.next.address.url) {
      this.dropNext('another client');
    }
    if (this.next) {
      this.advance(this.next, situation.ready, situation.empty);
    } else if (address) {
      this.next = new Frame(this.stage, address, (frame, event, data) => this.hear(frame, event, data));
      this.hooks.opened();
    }
  }

  /**
   * @param {Frame} next
   * @param {boolean} ready
   * @param {boolean} empty
   */
  advance(next, ready, empty) {
    const age = performance.now() - next.since;
    if (next.state === 'held' && ready) {
      next.go();
    } else if (next.state === 'closed' && ready && age >= backoff(next.attempts - 1)) {
      this.again(next);
    } else if (next.state === 'connecting' && ready && age > patience(next.attempts)) {
      this.again(next);
    } else if (
      (next.state === 'loading' && age > LOAD_MS) ||
      (next.state === 'opened' && age > PAINT_MS && !empty)
    ) {
      this.dropNext(`${next.state} too long`);
    }
  }

  /** @param {Frame} next */
  again(next) {
    if (next.blind || next.reached || next.attempts >= ATTEMPTS) {
      this.dropNext('failed'); // what was half shown is in the way, and a blind client cannot be told
    } else {
      next.go();
    }
  }

  /** @param {string} why */
  dropNext(why) {
    if (this.next) {
      mark('drop', { number: this.next.number, why });
      this.next.remove();
      this.next = null;
    }
  }

  /**
   * @param {Frame} frame
   * @param {string} event
   * @param {Record<string, unknown>} data
   */
  hear(frame, event, data) {
    if (event !== 'echo' && event !== 'input') {
      mark(`agent-${event}`, { number: frame.number, ...data });
    }
    if (event === 'title' && typeof data.title === 'string') {
      frame.title = data.title;
    }
    if (event === 'closed') {
      this.closed(frame, data);
    } else if (event === 'painted' && frame === this.next) {
      this.promote(frame, data);
    } else if (frame === this.next) {
      this.progress(frame, event);
    } else {
      if (event === 'echo' && this.lost === 'silent') {
        this.revive();
      }
      this.hooks.event(event, data);
    }
  }

  /**
   * @param {Frame} frame
   * @param {string} event
   */
  progress(frame, event) {
    if (event === 'loaded') {
      frame.become('held');
      frame.tell('readonly', { on: this.readonly });
      this.hooks.moved();
    } else if (event === 'opened') {
      frame.reached = true;
      frame.become('opened');
    } else if (event === 'unknown') {
      frame.blind = true;
      this.promote(frame, {});
    }
  }

  /**
   * @param {Frame} frame
   * @param {Record<string, unknown>} data
   */
  closed(frame, data) {
    if (frame === this.next) {
      frame.become('closed');
    } else if (frame === this.current) {
      this.lose(typeof data.reason === 'string' ? `closed: ${data.reason}` : 'closed');
    }
  }

  /**
   * The next frame has painted: it takes the place of the one before.
   * @param {Frame} frame
   * @param {Record<string, unknown>} data
   */
  promote(frame, data) {
    frame.show();
    if (document.activeElement === this.current?.element) {
      frame.element.focus(); // with the frame that has it, the focus would leave the page
    }
    this.current?.remove();
    this.current = frame;
    this.next = null;
    this.lost = null;
    frame.tell('readonly', { on: this.readonly });
    frame.tell('suspend', { on: this.suspended });
    mark('painted', data);
    this.hooks.painted();
    if (frame.title) {
      this.hooks.event('title', { title: frame.title });
    }
  }

  /** The node speaks again before another frame has painted: nothing was lost. */
  revive() {
    mark('revived');
    this.lost = null;
    this.dropNext('revived');
    this.hooks.painted();
  }

  /** @param {boolean} on */
  setReadonly(on) {
    this.readonly = on;
    this.frames().forEach(frame => frame.tell('readonly', { on }));
  }

  /** @param {boolean} on */
  setSuspended(on) {
    if (on !== this.suspended) {
      this.suspended = on;
      mark('suspend', on);
      this.current?.tell('suspend', { on });
    }
  }

  /** Gives the keyboard to the program. */
  focus() {
    if (this.current && !this.readonly) {
      this.current.element.focus();
      this.current.tell('focus');
    }
  }
}
