/**
 * Gets the websocket to the server back, and finds out what is in its way, which browsers do not tell.
 *
 * One request for each pause: a question by plain HTTP, and once it is answered by the server itself, the websocket. When
 * the server answers and no websocket opens, it is asked why not.
 */
import type { Absence } from '../core/absence';
import { getSession } from '../core/api';
import { absenceOf, askWhyNot, ResponseError, type IServer } from '../core/request';
import { Retry } from '../core/retry';

/**
 * What is in the way: the server is absent; it knows no such session any more (`removed`); it takes no websocket of
 * this page (`refused`); it would, but none gets there (`no-upgrade`).
 */
export type Obstacle = Absence | 'removed' | 'refused' | 'no-upgrade';

export interface IReconnectionWiring {
  server: IServer;
  /** Job id. */
  session: string;
  /** Address of the websocket, below the base URL. */
  address: string;
  /** Opens the websocket; `opened` or `down` follows. */
  open: () => void;
  /** Whether anybody sees the page. */
  seen: () => boolean;
  changed: () => void;
}

export class Reconnection {
  constructor(private readonly _wiring: IReconnectionWiring) {
    this._retry = new Retry(() => this._again(), _wiring.seen);
  }

  /** What is in the way; null while nothing is, or nothing is known of it. */
  get obstacle(): Obstacle | null {
    return this._obstacle;
  }

  /** What the server said of it; empty when it said nothing. */
  get words(): string {
    return this._words;
  }

  /** The websocket is open, and is answered. */
  opened(): void {
    this._retry.stop();
    this._find(null);
  }

  /** The websocket is gone, or did not open; `worked`: it was answered for some time. */
  down(worked: boolean): void {
    if (this._stopped) {
      return;
    }
    if (worked) {
      this._retry.worked();
    }
    if (worked || !this._served) {
      this._begin();
    } else {
      this._served = false;
      this._refusals += 1;
      void this._askWhy();
    }
  }

  /** Tries now, if it waits to try. */
  hurry(): void {
    this._retry.hurry();
  }

  /** A websocket is wanted again. */
  begin(): void {
    this._stopped = this._served = false;
    this._wiring.open();
  }

  /** No websocket is wanted until `begin`. */
  stop(): void {
    this._stopped = true;
    this._retry.stop();
  }

  /** Asks at once; a page that nobody sees tries the websocket some time later: many lose a server in one moment. */
  private _begin(): void {
    this._refusals = 0;
    this._served = !this._wiring.seen();
    if (this._served) {
      this._retry.failed();
    } else {
      void this._ask();
    }
  }

  private _again(): void {
    if (this._served) {
      this._wiring.open();
    } else {
      void this._ask();
    }
  }

  /** Whether the server itself answers, and knows the session. */
  private async _ask(): Promise<void> {
    const { server, session, seen } = this._wiring;
    const error = await failure(getSession(server, session, seen()));
    if (this._stopped) {
      return;
    }
    this._served = error === null;
    if (error) {
      this._refusals = 0;
      this._find(isUnknown(error) ? 'removed' : (absenceOf(error) ?? 'away'));
      this._retry.failed(absenceOf(error) ?? 'away');
    } else if (this._refusals) {
      this._retry.failed();
    } else {
      this._wiring.open();
    }
  }

  /** Why the server, which answers, gives no websocket; a page that nobody sees need not know. */
  private async _askWhy(): Promise<void> {
    const { server, address, seen } = this._wiring;
    if (seen()) {
      const error = await failure(askWhyNot(server, address));
      if (this._stopped) {
        return;
      }
      if (error instanceof ResponseError && error.absence === null) {
        this._find('refused', error.word ?? '');
      } else if (error === null && this._refusals > 1) {
        this._find('no-upgrade'); // once may be chance: the server may just have come back
      }
    }
    this._retry.failed();
  }

  private _find(obstacle: Obstacle | null, words = ''): void {
    this._obstacle = obstacle;
    this._words = words;
    this._wiring.changed();
  }

  private _obstacle: Obstacle | null = null;
  private _words = '';
  /** Whether the websocket is next: the server's last answer was its own, or nothing is known. */
  private _served = false;
  /** How often the server answered and yet gave no websocket. */
  private _refusals = 0;
  private _stopped = false;
  private readonly _retry: Retry;
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error: unknown) => error,
  );
}

function isUnknown(error: unknown): boolean {
  return error instanceof ResponseError && error.reason === 'unknown-session';
}
