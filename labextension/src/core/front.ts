/** What lies between this page and the server, measured: does a websocket get through, and for how long a silent one. */
import type { IFinding } from './models';
import type { ITrans } from './trans';

/**
 * Milliseconds: `answer` that a websocket may take to open, or to give back what it was sent; `silence` for which nothing
 * is sent, as by a display in which nothing moves: proxies cut after 60 s.
 */
const TIMES = { answer: 10_000, silence: 65_000 };

/** Tells each finding once it is there; ends early, without a word, when `over` is aborted. `address`: the echo's. */
export async function measureFront(
  address: string,
  tell: (finding: IFinding) => void,
  over: AbortSignal,
  trans: ITrans,
  times = TIMES,
): Promise<void> {
  const line = new Line(address);
  over.addEventListener('abort', () => line.close());
  const say = (finding: Omit<IFinding, 'check'>): void => {
    if (!over.aborted) {
      tell({ check: trans.__('front'), ...finding });
    }
  };
  try {
    if (!(await line.echoes(times.answer))) {
      say(noWebsocket(trans));
      return;
    }
    say({ level: 'ok', found: trans.__('Websockets get through.'), advice: '' });
    const began = Date.now();
    const lived = !(await line.ends(times.silence)) && (await line.echoes(times.answer));
    say(silence(lived, Math.round((Date.now() - began) / 1000), trans));
  } finally {
    line.close();
  }
}

/** What an administrator has to do about a front that lets no websocket through. */
export function passUpgradeOn(trans: ITrans): string {
  return trans.__(
    'The proxy in front of Jupyter has to pass websockets on, for every address below qconnect/ (nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; Apache: ProxyPass … upgrade=websocket).',
  );
}

function noWebsocket(trans: ITrans): Omit<IFinding, 'check'> {
  return {
    level: 'problem',
    found: trans.__('No websocket gets through to the server, and displays need one.'),
    advice: passUpgradeOn(trans),
  };
}

function silence(lived: boolean, seconds: number, trans: ITrans): Omit<IFinding, 'check'> {
  if (lived) {
    return {
      level: 'ok',
      found: trans.__('A connection that is silent for %1 s lives on.', seconds),
      advice: '',
    };
  }
  return {
    level: 'warning',
    found: trans.__('A silent connection was cut after %1 s.', seconds),
    advice: trans.__(
      'Have what is in front of Jupyter keep it for an hour: nginx “proxy_read_timeout 3600s;”, Apache “ProxyTimeout 3600”.',
    ),
  };
}

/** A websocket whose other end says everything back. */
class Line {
  constructor(url: string) {
    this._socket = new WebSocket(url);
    this._opened = new Promise(resolve => {
      this._socket.addEventListener('open', () => resolve());
    });
    this._closed = new Promise(resolve => {
      this._socket.addEventListener('close', () => resolve(true));
    });
  }

  /** Whether a word comes back in time. */
  async echoes(within: number): Promise<boolean> {
    const back = this._opened.then(async () => {
      const heard = new Promise<boolean>(resolve => {
        this._socket.addEventListener('message', () => resolve(true), { once: true });
      });
      this._socket.send('?');
      return heard;
    });
    return Promise.race([back, this.ends(within).then(() => false)]);
  }

  /** Whether it is closed within so many milliseconds. */
  async ends(within: number): Promise<boolean> {
    const over = new AbortController();
    const passed = new Promise<boolean>(resolve => {
      const timer = setTimeout(() => resolve(false), within);
      over.signal.addEventListener('abort', () => clearTimeout(timer));
    });
    const ended = await Promise.race([this._closed, passed]);
    over.abort();
    return ended;
  }

  close(): void {
    this._socket.close();
  }

  private readonly _closed: Promise<boolean>;
  private readonly _opened: Promise<void>;
  private readonly _socket: WebSocket;
}
