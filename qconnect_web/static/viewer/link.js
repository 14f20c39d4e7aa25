// Judges by the clocks what is dead: the line to the server, or the node behind it.

import { ApiError, call } from '../shared/api.js';
import { mark } from '../shared/log.js';
import { Clocks } from './clocks.js';
import { Live } from './live.js';

const BEAT_MS = 1000;
/** After a break of the line to the server the node gets this long to prove that its connection survived. */
const PROOF_MS = 1500;
const PROBE_MS = 3000;

/**
 * @typedef {object} Wiring
 * @property {string} url of the live websocket
 * @property {string} session job id
 * @property {import("./display.js").Display} display
 * @property {() => Record<string, unknown>} beat what each heartbeat says
 * @property {() => void} opened
 * @property {(answer: import("../types").Answer) => void} heard
 * @property {() => void} changed
 */

export class Link {
  /** @param {Wiring} wiring */
  constructor(wiring) {
    this.wiring = wiring;
    /** Whether the server answers. */
    this.up = false;
    /** Whether it answers that the user is not logged in. */
    this.refused = false;
    this.proveBy = Infinity;
    this.beatAt = -Infinity;
    this.probeAt = -Infinity;
    this.clocks = new Clocks(performance.now());
    this.live = new Live(wiring.url, {
      beat: () => {
        this.beatAt = performance.now();
        return wiring.beat();
      },
      opened: wiring.opened,
      heard: answer => {
        this.hear(answer);
      },
      down: () => {
        this.down();
      },
    });
  }

  ask() {
    this.live.ask();
  }

  close() {
    this.live.close();
  }

  /** The network is back, says the browser: do not wait for the next attempt. */
  hurry() {
    if (!this.live.up && !this.live.over) {
      this.live.open();
    }
  }

  /** @param {import("../types").Answer} answer */
  hear(answer) {
    const now = performance.now();
    this.clocks.beat(now);
    if (!this.up) {
      this.up = true;
      this.refused = false;
      this.clocks.restart(now);
      this.prove(now);
    }
    this.wiring.heard(answer);
  }

  down() {
    this.up = false;
    this.proveBy = Infinity;
    this.wiring.changed();
    void this.probe();
  }

  /** The line was cut: the picture's own connection may be cut too, or may not. @param {number} now */
  prove(now) {
    const { current, lost } = this.wiring.display;
    if (current && !current.blind && lost === null) {
      current.tell('ping');
      this.proveBy = now + PROOF_MS;
    }
  }

  /** The node answered. */
  echo() {
    this.clocks.echo(performance.now());
    this.proveBy = Infinity;
  }

  /** A new connection has painted. */
  painted() {
    this.clocks.restart(performance.now());
    this.proveBy = Infinity;
  }

  /** Asks by plain HTTP why the websocket fails: browsers do not say. */
  async probe() {
    const now = performance.now();
    if (now - this.probeAt < PROBE_MS || this.live.over) {
      return;
    }
    this.probeAt = now;
    try {
      await call(`sessions/${this.wiring.session}`);
      this.refused = false;
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      this.refused = status === 401 || status === 403;
      if (status === 404) {
        location.reload(); // it was removed: the server's page says what there is
      }
    }
    this.wiring.changed();
  }

  /** Four times a second. */
  tick() {
    const now = performance.now();
    if (this.clocks.tick(now)) {
      mark('woke');
      this.live.ask();
      this.wiring.display.current?.tell('ping');
      return;
    }
    if (now - this.beatAt >= BEAT_MS) {
      this.live.ask();
    }
    if (!this.up) {
      void this.probe();
    } else if (this.live.up && this.clocks.linkDead(now)) {
      this.live.fail('silent');
    } else {
      this.watchNode(now);
    }
  }

  /** @param {number} now */
  watchNode(now) {
    const { display } = this.wiring;
    if (!display.current || display.current.blind) {
      return;
    }
    if (this.clocks.shouldAsk(now)) {
      display.current.tell('ping');
    }
    if (now > this.proveBy) {
      this.proveBy = Infinity;
      display.lose('line');
    } else if (this.clocks.nodeDead(now)) {
      display.lose('silent');
    }
  }
}
