/** The two clocks by which a dead line is told from a quiet one; all times in milliseconds of one monotonic clock. */

/** The page asks the server once a second: silent for this long, the line to it is dead. */
export const LINK_DEAD_MS = 4000;
/** The client's pings are echoed by the node: silent for this long, the node does not answer. */
export const NODE_DEAD_MS = 8000;
/** An echo older than this is asked for again. */
export const ASK_MS = 2000;
/** A timer that comes this late means that the browser slept, not that the others did. */
export const GAP_MS = 5000;

/** Ages of the last signs of life. */
export class Clocks {
  constructor(now: number) {
    this._tickAt = now;
    this._linkAt = now;
    this._nodeAt = now;
  }

  /** The server answered. */
  beat(now: number): void {
    this._linkAt = now;
  }

  /** The node echoed. */
  echo(now: number): void {
    this._nodeAt = now;
  }

  /** The line to the server is new, or a new connection to the node was just painted: nothing could be heard before. */
  restart(now: number): void {
    this._linkAt = now;
    this._nodeAt = now;
    this._askedAt = -Infinity;
  }

  /** Notes a tick of the timer; whether the browser slept since the last one: both clocks start anew then. */
  tick(now: number): boolean {
    const slept = now - this._tickAt > GAP_MS;
    this._tickAt = now;
    if (slept) {
      this.restart(now);
    }
    return slept;
  }

  linkDead(now: number): boolean {
    return now - this._linkAt > LINK_DEAD_MS;
  }

  nodeDead(now: number): boolean {
    return now - this._nodeAt > NODE_DEAD_MS;
  }

  /** Whether the node should be asked for an echo now; at most once a second. */
  shouldAsk(now: number): boolean {
    if (now - this._nodeAt < ASK_MS || now - this._askedAt < 1000) {
      return false;
    }
    this._askedAt = now;
    return true;
  }

  private _tickAt: number;
  private _linkAt: number;
  private _nodeAt: number;
  private _askedAt = -Infinity;
}

/** Milliseconds before the next attempt, counted from 0: 0.1 s doubled each time, at most 1 s. */
export function backoff(attempt: number): number {
  return Math.min(1000, 100 * 2 ** Math.min(attempt, 10));
}

/** Milliseconds that a connection may take to open: longer each time, as some nodes are far and some are slow. */
export function patience(attempts: number): number {
  return Math.min(10000, 2000 + 1000 * attempts);
}
