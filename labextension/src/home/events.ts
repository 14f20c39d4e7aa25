/** The server's events, as a page hears them that has no JupyterLab around it. */
import { Signal } from '@lumino/signaling';

import { Retry } from '../core/retry';
import { SESSION_EVENT, type IEvents } from '../core/sessions';

/**
 * Listens to the websocket of Jupyter's events for as long as somebody looks at the page.
 *
 * The stream repeats nothing: when it begins and when it breaks off is told like an event, so that somebody looks.
 */
export class ServerEvents implements IEvents {
  /** `url` is that of `api/events/subscribe`, `seen` tells whether anybody sees the page. */
  constructor(
    private readonly _url: string,
    seen: () => boolean,
  ) {
    this._retry = new Retry(() => this._connect(), seen);
    this._connect();
  }

  readonly emitted = new Signal<this, { readonly schema_id: string }>(this);

  get connected(): boolean {
    return this._socket?.readyState === WebSocket.OPEN;
  }

  /** Connects now, if it waits to do so. */
  hurry(): void {
    this._retry.hurry();
  }

  /** Nobody looks: hangs up until `wake`; each answer to a ping (`websocket_ping_interval`) would count as activity. */
  rest(): void {
    this._retry.stop();
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
      this._retry.worked();
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
      this._retry.failed();
    });
  }

  private _socket: WebSocket | null = null;
  private readonly _retry: Retry;
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
