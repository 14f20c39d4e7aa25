/** The server's events, as a page hears them that has no JupyterLab around it. */
import { Signal } from '@lumino/signaling';

import { SESSION_EVENT, type IEvents } from '../core/sessions';

/** Milliseconds before the first try to connect again, and the most; each try doubles the wait. */
const AGAIN_AFTER_MS = 1_000;
const AGAIN_AFTER_AT_MOST_MS = 60_000;

/**
 * Listens to the websocket of Jupyter's events for as long as somebody looks at the page.
 *
 * The stream repeats nothing: when it begins and when it breaks off is told like an event, so that somebody looks.
 */
export class ServerEvents implements IEvents {
  /** `url` is that of `api/events/subscribe`. */
  constructor(private readonly _url: string) {
    this._connect();
  }

  readonly emitted = new Signal<this, { readonly schema_id: string }>(this);

  get connected(): boolean {
    return this._socket?.readyState === WebSocket.OPEN;
  }

  /** Nobody looks: hangs up until `wake`; each answer to a ping (`websocket_ping_interval`) would count as activity. */
  rest(): void {
    clearTimeout(this._timer);
    const socket = this._socket;
    this._socket = null;
    socket?.close();
  }

  wake(): void {
    if (!this._socket) {
      this._connect();
    }
  }

  private _connect(): void {
    const socket = new WebSocket(this._url);
    this._socket = socket;
    socket.addEventListener('open', () => {
      this._wait = AGAIN_AFTER_MS;
      this.emitted.emit({ schema_id: SESSION_EVENT });
    });
    socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      this.emitted.emit({ schema_id: schemaOf(data) });
    });
    socket.addEventListener('close', () => {
      if (socket !== this._socket) {
        return; // we hung up
      }
      this.emitted.emit({ schema_id: SESSION_EVENT });
      this._timer = window.setTimeout(() => this._connect(), this._wait);
      this._wait = Math.min(2 * this._wait, AGAIN_AFTER_AT_MOST_MS);
    });
  }

  private _socket: WebSocket | null = null;
  private _timer: number | undefined = undefined;
  private _wait = AGAIN_AFTER_MS;
}

/** The schema of an event that came as JSON; empty for what is none. */
function schemaOf(data: unknown): string {
  try {
    const event = JSON.parse(String(data)) as { schema_id?: unknown } | null;
    return typeof event?.schema_id === 'string' ? event.schema_id : '';
  } catch {
    return '';
  }
}
