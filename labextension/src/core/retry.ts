/** When a server that did not answer is asked again: one policy for all pages. */
import type { Absence } from './absence';

/** Milliseconds before the first try, and the most between two. */
const SHORTEST_MS = 200;
const LONGEST_MS = 30_000;
/** The wait is this part of the time that the silence has lasted, so that who comes back is seen soon after. */
const SHARE = 1 / 8;
/** Waits are so much longer or shorter at random: many pages must not ask in step. */
const JITTER = 0.2;

/**
 * Milliseconds until the next try; `chance` is a random number below 1.
 *
 * A page that nobody sees has time: its first try comes anywhere within the longest wait, as those that lost the same
 * server do so at the same moment, and the others at that distance.
 */
export function pauseMs(silentMs: number, seen: boolean, chance: number): number {
  if (!seen && silentMs === 0) {
    return LONGEST_MS * chance;
  }
  const wait = seen ? Math.max(SHORTEST_MS, Math.min(LONGEST_MS, silentMs * SHARE)) : LONGEST_MS;
  return wait * (1 - JITTER + 2 * JITTER * chance);
}

/** How long something has failed without a break. */
export class Silence {
  /** Notes a failure; gives the milliseconds until the next try. */
  failed(seen: boolean): number {
    const now = Date.now();
    this._since ??= now;
    return pauseMs(now - this._since, seen, Math.random());
  }

  /** Notes that it worked. */
  worked(): void {
    this._since = null;
  }

  private _since: number | null = null;
}

/** Tries one thing again until it works. */
export class Retry {
  /** `_again` tries; `_seen` tells whether anybody sees the page. */
  constructor(
    private readonly _again: () => void,
    private readonly _seen: () => boolean,
  ) {}

  /** It failed: it is tried again after a pause, by a page that nobody sees only where waiting alone may help. */
  failed(absence: Absence = 'away'): void {
    const seen = this._seen();
    const pause = this._silence.failed(seen);
    clearTimeout(this._timer);
    this._waits = true;
    if (seen || absence === 'away') {
      this._timer = setTimeout(() => this.hurry(), pause);
    }
  }

  /** It worked. */
  worked(): void {
    this._silence.worked();
    this.stop();
  }

  /** Tries now what would be tried later. */
  hurry(): void {
    if (this._waits) {
      this.stop();
      this._again();
    }
  }

  /** Tries no more, unless it fails again. */
  stop(): void {
    this._waits = false;
    clearTimeout(this._timer);
  }

  private _waits = false;
  private _timer: ReturnType<typeof setTimeout> | undefined = undefined;
  private readonly _silence = new Silence();
}

/** Calls `act` at each moment at which a server may be back for somebody: the page is seen, or the network is back. */
export function onReturn(
  page: EventTarget,
  document: EventTarget & { hidden: boolean },
  act: () => void,
): void {
  const look = (): void => {
    if (!document.hidden) {
      act();
    }
  };
  page.addEventListener('online', look);
  page.addEventListener('focus', look);
  document.addEventListener('visibilitychange', look);
}
