/** One desktop: noVNC on a websocket of our own, on which we see what comes and when. */
import RFB from '@novnc/novnc';
import { colourful, PLAIN_MS } from '../agent/colours';
import type { IDisplayClient } from '../agent/join';
import { Keymap, lettersOf } from '../agent/keymap';
import type { Modifier } from '../agent/keys';
import type { KeySymbol } from '../agent/keysyms';
import { tell, tellCopied } from '../agent/page';
import { Strokes } from '../agent/strokes';
import { Typist } from '../agent/typist';
import { browserClipboard } from '../viewer/browser-clipboard';
import { continuousUpdates, updateRequest } from './rfb-messages';
import { VncKeys } from './vnc-keys';

/** What a door speaks that keeps the desktop's keymap; before it there were doors that do not. */
const KEYMAP = 'keymap';

export interface IDesktopOptions {
  path: string;
  /** Whether keys stay down for as long as the user holds them. */
  hold: boolean;
}

export class Desktop implements IDisplayClient {
  connected = false;
  readonly = false;
  clipboard = '';

  /** `place` is where it is shown, `field` where the user types, `path` that of its websocket. */
  constructor(place: HTMLElement, field: HTMLTextAreaElement, { path, hold }: IDesktopOptions) {
    this._place = place;
    this._field = field;
    this._url = `${location.origin.replace(/^http/, 'ws')}${path}`;
    this._hold = hold;
  }

  connect(): void {
    this._typist ??= new Typist(this._field, this._strokes, {
      hold: this._hold,
      terminal: () => false,
      chord: () => undefined,
    });
    this._hangUp();
    this._place.replaceChildren();
    const socket = new WebSocket(this._url, [KEYMAP, 'binary']);
    this._socket = socket;
    socket.addEventListener('open', () => tell('opened', {}));
    socket.addEventListener('message', (event: MessageEvent<unknown>) => this._heard(socket, event.data));
    const rfb = new RFB(this._place, socket, { shared: true });
    this._rfb = rfb;
    rfb.scaleViewport = true;
    rfb.resizeSession = true;
    rfb.viewOnly = this.readonly;
    rfb.focusOnClick = false; // its own keyboard hears nothing
    this._listen(rfb);
  }

  /** Asks for an echo by what is answered in any case; while suspended, by what does not make noVNC ask for pictures. */
  ping(): void {
    if (!this.connected || this._asked !== null) {
      return;
    }
    this._asked = performance.now();
    if (this._suspended) {
      this._allowUpdates();
    } else {
      this._socket?.send(updateRequest(1, 1));
    }
  }

  leave(): void {
    this._rfb?.disconnect();
  }

  takeKeyboard(): void {
    this._captured = true;
    window.focus();
    this._field.focus({ preventScroll: true });
    this._strokes.renew();
  }

  releaseKeyboard(): void {
    this._typist?.release();
    this._captured = false;
    this._field.blur();
  }

  setCompany(on: boolean): void {
    this._strokes.company = on;
  }

  strikeKey(symbol: KeySymbol, held: readonly Modifier[]): void {
    if (this.connected && !this.readonly) {
      this._strokes.strike(symbol, 'tap', held);
    }
  }

  setReadonly(on: boolean): void {
    this.readonly = on;
    if (this._rfb) {
      this._rfb.viewOnly = on;
    }
  }

  setSuspended(on: boolean): void {
    const changed = on !== this._suspended;
    this._suspended = on;
    const canvas = this._canvas;
    if (changed && this.connected && canvas) {
      this._allowUpdates();
      if (!on) {
        this._socket?.send(updateRequest(canvas.width, canvas.height));
      }
    }
  }

  paste(text: string): void {
    if (!this.readonly) {
      this.clipboard = text;
      this._rfb?.clipboardPasteFrom(text);
    }
  }

  private _listen(rfb: RFB): void {
    const screen = this._place.lastElementChild;
    rfb.addEventListener('connect', () => {
      this.connected = this._rfb === rfb;
      this._keys.remap(this._keymap);
    });
    rfb.addEventListener('disconnect', () => {
      if (this._rfb === rfb) {
        this.connected = false;
        this._rfb = null;
        this._place.replaceChildren(...(screen ? [screen] : [])); // noVNC takes it away, but the last picture stays
        tell('closed', { reason: null });
      }
    });
    rfb.addEventListener('clipboard', event => {
      this._copied((event as CustomEvent<{ text: string }>).detail.text);
    });
  }

  /** The desktop's clipboard has this text: the browser's has it as well now, where it lets us. */
  private _copied(text: string): void {
    this.clipboard = text;
    tellCopied(text);
    void browserClipboard()
      ?.writeText(text)
      .catch(() => undefined); // no permission, or no focus: there is the box for it
  }

  /** Drops the connection: a dead socket may still speak, minutes later. */
  private _hangUp(): void {
    const [rfb, socket] = [this._rfb, this._socket];
    this._rfb = null;
    this._socket = null;
    this.connected = false;
    this._asked = null;
    rfb?.disconnect();
    socket?.close();
  }

  private get _canvas(): HTMLCanvasElement | null {
    return this._place.querySelector('canvas');
  }

  /** Something came from the node. */
  private _heard(socket: WebSocket, data: unknown): void {
    if (socket !== this._socket) {
      return;
    }
    this._messages++;
    this._bytes += data instanceof ArrayBuffer ? data.byteLength : 0;
    if (this._asked !== null) {
      const latency = Math.round(performance.now() - this._asked);
      this._asked = null;
      this._strokes.echo();
      tell('echo', { latency, draws: this._messages, bytes: this._bytes });
    }
    if (!this._painted && this.connected) {
      setTimeout(() => this._look());
    }
  }

  /** Whether something is shown by now. */
  private _look(): void {
    const canvas = this._canvas;
    if (this._painted || !this.connected || !canvas || canvas.width < 2) {
      return;
    }
    if (colourful(canvas, canvas.width, canvas.height)) {
      this._show(canvas);
    } else {
      setTimeout(() => {
        if (this.connected) {
          this._show(canvas);
        }
      }, PLAIN_MS);
    }
  }

  private _show({ width: w, height: h }: HTMLCanvasElement): void {
    if (!this._painted) {
      this._painted = true;
      tell('painted', { w, h, cls: null, ms: Math.round(performance.now()) });
    }
  }

  private _allowUpdates(): void {
    const canvas = this._canvas;
    if (this.connected && canvas) {
      this._socket?.send(continuousUpdates(!this._suspended, canvas.width, canvas.height));
    }
  }

  private readonly _place: HTMLElement;
  private readonly _field: HTMLTextAreaElement;
  private readonly _keymap = new Keymap(lettersOf(navigator.languages));
  private readonly _keys = new VncKeys({
    ready: () => this.connected && this._captured && !this.readonly,
    sendKey: (keysym, down) => this._rfb?.sendKey(keysym, '', down),
    say: words => {
      if (this._socket?.protocol === KEYMAP && this.connected) {
        this._socket.send(words);
      }
    },
    ping: () => this.ping(),
  });
  private readonly _strokes = new Strokes(this._keys, this._keymap);
  private readonly _hold: boolean;
  private _typist: Typist | null = null;
  /** Whether the program has the keyboard. */
  private _captured = true;
  private readonly _url: string;
  private _rfb: RFB | null = null;
  private _socket: WebSocket | null = null;
  private _suspended = false;
  private _painted = false;
  private _messages = 0;
  private _bytes = 0;
  /** When the server was asked for an echo that has not come yet. */
  private _asked: number | null = null;
}
