// The two clocks by which a dead line is told from a quiet one.

/** The page asks the server once a second: silent for this long, the line to it is dead. */
export const LINK_DEAD_MS = 4000;
/** The client's pings are echoed by the node: silent for this long, the node does not answer. */
export const NODE_DEAD_MS = 8000;
/** An echo older than this is asked for again. */
export const ASK_MS = 2000;
/** A timer that comes this late means that the browser slept, not that the others did. */
export const GAP_MS = 5000;

/** Ages of the last signs of life; all times in milliseconds of one monotonic clock. */
export class Clocks {
  /** @param {number} now */
  constructor(now) {
    this.tickAt = now;
    this.linkAt = now;
    this.nodeAt = now;
    this.askedAt = -Infinity;
  }

  /** @param {number} now the server answered */
  beat(now) {
    this.linkAt = now;
  }

  /** @param {number} now the node echoed, or a new connection to it was just painted */
  echo(now) {
    this.nodeAt = now;
  }

  /** @param {number} now the line to the server is new, so nothing could be heard of the node before */
  restart(now) {
    this.linkAt = now;
    this.nodeAt = now;
    this.askedAt = -Infinity;
  }

  /**
   * Notes a tick of the timer.
   * @param {number} now
   * @returns {boolean} whether the browser slept since the last one: both clocks start anew then
   */
  tick(now) {
    const slept = now - this.tickAt > GAP_MS;
    this.tickAt = now;
    if (slept) {
      this.restart(now);
    }
    return slept;
  }

  /** @param {number} now */
  linkDead(now) {
    return now - this.linkAt > LINK_DEAD_MS;
  }

  /** @param {number} now */
  nodeDead(now) {
    return now - this.nodeAt > NODE_DEAD_MS;
  }

  /**
   * Whether the node should be asked for an echo now; at most once a second.
   * @param {number} now
   */
  shouldAsk(now) {
    if (now - this.nodeAt < ASK_MS || now - this.askedAt < 1000) {
      return false;
    }
    this.askedAt = now;
    return true;
  }
}

/**
 * Milliseconds before the next attempt: 0.1 s doubled each time, at most 1 s.
 * @param {number} attempt counted from 0
 */
export function backoff(attempt) {
  return Math.min(1000, 100 * 2 ** Math.min(attempt, 10));
}
