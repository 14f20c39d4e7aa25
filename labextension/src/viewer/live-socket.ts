/** Keeps one websocket to the server: asks once a second, and hears of changes at once. */
import { mark } from '../core/marks';
import type { ILiveAnswer, ILiveRequest } from '../core/models';
import { backoff } from './clocks';

/** A handshake that takes longer than this is given up and begun anew. */
const OPEN_MS = 3000;

/** What a heartbeat says, but for its time. */
export type Beat = Omit<ILiveRequest, 't'>;

export interface ILiveHooks {
  /** What each message says. */
  beat: () => Beat;
  heard: (answer: ILiveAnswer) => void;
  opened: () => void;
  down: () => void;
}

export class LiveSocket {
  constructor(
    private readonly _url: string,
    private readonly _hooks: ILiveHooks,
  ) {
    this.open();
  }

  /** Whether the line is open. */
  get up(): boolean {
    return this._socket?.readyState === WebSocket.OPEN;
  }

  /** Whether it was closed for good. */
  get over(): boolean {
    return this._over;
  }

  open(): void {
    clearTimeout(this._timer);
    this._forget();
    const socket = new WebSocket(this._url);
    this._socket = socket;
    this._timer = window.setTimeout(() => this.fail('no answer'), OPEN_MS);
    socket.onopen = () => {
      clearTimeout(this._timer);
      this._attempt = 0;
      mark('live-open');
      this._hooks.opened();
      this.ask();
    };
    socket.onmessage = (event: MessageEvent<string>) => {
      this._hooks.heard(JSON.parse(event.data) as ILiveAnswer);
    };
    socket.onclose = event => this.fail(`closed ${event.code}`);
  }

  /** Drops the line and opens another soon. */
  fail(why: string): void {
    clearTimeout(this._timer);
    this._forget();
    if (this._over) {
      return;
    }
    mark('live-down', why);
    this._hooks.down();
    this._timer = window.setTimeout(() => this.open(), backoff(this._attempt++));
  }

  /** Asks now. */
  ask(): void {
    if (this.up) {
      const message: ILiveRequest = { t: Math.round(performance.now()), ...this._hooks.beat() };
      this._socket?.send(JSON.stringify(message));
    }
  }

  /** Nobody is to hear of us: no line until `open`. */
  rest(): void {
    clearTimeout(this._timer);
    this._forget();
  }

  /** The session is over: no more lines. */
  close(): void {
    this._over = true;
    clearTimeout(this._timer);
    this._forget();
  }

  /** A socket into a black hole says "closed" minutes later: by then it must not be heard. */
  private _forget(): void {
    const socket = this._socket;
    this._socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  private _socket: WebSocket | null = null;
  private _attempt = 0;
  private _over = false;
  private _timer: number | undefined = undefined;
}
