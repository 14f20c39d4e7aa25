/** Starts sessions so that neither a lost answer nor a second click starts two. */
import type { ISession, IStartRequest } from './models';
import { startSession } from './api';
import { randomId } from './ids';
import { NetworkError, ResponseError, type IServer } from './request';

/** Milliseconds for which a start without a clear answer is remembered: as long as the server looks for its job. */
const KEPT_FOR_MS = 600_000;

/** Gives each start its idempotency key, and the same one when the user tries again what may have been carried out. */
export class Starter {
  constructor(private readonly _server: IServer) {}

  /** The started session; throws NetworkError or ResponseError. */
  async start(asked: IStartRequest): Promise<ISession> {
    const same = JSON.stringify(asked);
    const key = this._keyOf(same);
    try {
      const session = await startSession(this._server, asked, key);
      this._open.delete(same);
      return session;
    } catch (error) {
      if (!mayHaveStarted(error)) {
        this._open.delete(same);
      }
      throw error;
    }
  }

  private _keyOf(same: string): string {
    const open = this._open.get(same);
    if (open && Date.now() - open.since < KEPT_FOR_MS) {
      return open.key;
    }
    const key = randomId();
    this._open.set(same, { key, since: Date.now() });
    return key;
  }

  private readonly _open = new Map<string, { key: string; since: number }>();
}

/** Whether the job may be there, or come: nobody answered, or the server (or a proxy) gave up waiting. */
function mayHaveStarted(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof ResponseError && error.status >= 500);
}
