/** One websocket to the server at a time: asks, and hears of changes at once. */
import { mark } from '../core/marks';
import type { ILiveAnswer, ILiveRequest } from '../core/models';
import { shownAnswer } from '../core/shown';

/** A handshake that takes longer than this is given up. */
const OPEN_MS = 3000;
/** A line that was answered for less than this has not worked: something on the way opens it and then cuts it. */
const LASTED_MS = 3000;

/** What a heartbeat says, but for its time. */
export type Beat = Omit<ILiveRequest, 't'>;

export interface ILiveHooks {
  /** What each message says. */
  beat: () => Beat;
  heard: (answer: ILiveAnswer) => void;
  opened: () => void;
  /** It is gone, or could not be opened; `worked`: it was answered for some time before. */
  down: (worked: boolean) => void;
}

export class LiveSocket {
  constructor(
    private readonly _url: string,
    private readonly _hooks: ILiveHooks,
  ) {}

  /** Whether the line is open. */
  get up(): boolean {
    return this._socket?.readyState === WebSocket.OPEN;
  }

  open(): void {
    this.close();
    const socket = new WebSocket(this._url);
    this._socket = socket;
    this._heardAt = Infinity;
    this._timer = window.setTimeout(() => this.fail('no answer'), OPEN_MS);
    socket.onopen = () => {
      clearTimeout(this._timer);
      mark('live-open');
      this._hooks.opened();
      this.ask();
    };
    socket.onmessage = (event: MessageEvent<string>) => {
      this._heardAt = Math.min(this._heardAt, performance.now());
      this._hooks.heard(shownAnswer(JSON.parse(event.data) as ILiveAnswer));
    };
    socket.onclose = event => this.fail(`closed ${event.code}`);
  }

  /** Drops the line, and says so. */
  fail(why: string): void {
    this.close();
    mark('live-down', why);
    this._hooks.down(performance.now() - this._heardAt >= LASTED_MS);
  }

  /** Asks now. */
  ask(): void {
    if (this.up) {
      const message: ILiveRequest = { t: Math.round(performance.now()), ...this._hooks.beat() };
      this._socket?.send(JSON.stringify(message));
    }
  }

  /** Drops the line: a socket into a black hole says "closed" minutes later, and must not be heard by then. */
  close(): void {
    clearTimeout(this._timer);
    const socket = this._socket;
    this._socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  private _socket: WebSocket | null = null;
  /** When it was answered first. */
  private _heardAt = Infinity;
  private _timer: number | undefined = undefined;
}
