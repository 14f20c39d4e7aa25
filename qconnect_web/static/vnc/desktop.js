// One desktop: noVNC on a websocket of our own, on which we see what comes and when.

import RFB from './novnc.js';
import { tell } from '../agent/page.js';
import { colourful } from '../agent/painting.js';
import { continuousUpdates, updateRequest } from './wire.js';

/** A desktop may be one colour: after this long a connected one counts as shown. */
const PLAIN_MS = 400;

export class Desktop {
  /**
   * @param {HTMLElement} place
   * @param {string} path of the websocket
   * @param {(text: string) => void} copied the desktop put text on its clipboard
   */
  constructor(place, path, copied) {
    this.place = place;
    this.url = `${location.origin.replace(/^http/, 'ws')}${path}`;
    this.copied = copied;
    /** @type {RFB | null} */
    this.rfb = null;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.readonly = false;
    this.suspended = false;
    this.connected = false;
    this.painted = false;
    this.messages = 0;
    this.bytes = 0;
    /** When the server was asked for an echo that has not come yet. @type {number | null} */
    this.asked = null;
  }

  /** Connects, for the first time or once more. */
  connect() {
    this.hangUp();
    this.place.replaceChildren();
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.addEventListener('open', () => {
      tell('opened');
    });
    socket.addEventListener('message', event => {
      this.heard(socket, event.data);
    });
    const rfb = new RFB(this.place, socket, { shared: true });
    this.rfb = rfb;
    rfb.scaleViewport = true;
    rfb.resizeSession = true;
    rfb.viewOnly = this.readonly;
    this.listen(rfb);
  }

  /** @param {RFB} rfb */
  listen(rfb) {
    const screen = this.place.lastElementChild;
    rfb.addEventListener('connect', () => {
      this.connected = this.rfb === rfb;
    });
    rfb.addEventListener('disconnect', () => {
      if (this.rfb === rfb) {
        this.connected = false;
        this.rfb = null;
        this.place.replaceChildren(...(screen ? [screen] : [])); // noVNC takes it away, but the last picture stays
        tell('closed', { reason: null });
      }
    });
    rfb.addEventListener('clipboard', event => {
      const { text } = /** @type {CustomEvent<{text: string}>} */ (event).detail;
      this.copied(text);
    });
  }

  /** Drops the connection: a dead socket may still speak, minutes later. */
  hangUp() {
    const { rfb, socket } = this;
    this.rfb = null;
    this.socket = null;
    this.connected = false;
    this.asked = null;
    rfb?.disconnect();
    socket?.close();
  }

  get canvas() {
    return this.place.querySelector('canvas');
  }

  /**
   * Something came from the node.
   * @param {WebSocket} socket
   * @param {unknown} data
   */
  heard(socket, data) {
    if (socket !== this.socket) {
      return;
    }
    this.messages++;
    this.bytes += data instanceof ArrayBuffer ? data.byteLength : 0;
    if (this.asked !== null) {
      const latency = Math.round(performance.now() - this.asked);
      this.asked = null;
      tell('echo', { latency, draws: this.messages, bytes: this.bytes });
    }
    if (!this.painted && this.connected) {
      setTimeout(() => this.look());
    }
  }

  /** Whether something is shown by now. */
  look() {
    const { canvas } = this;
    if (this.painted || !this.connected || !canvas || canvas.width < 2) {
      return;
    }
    if (colourful(canvas, canvas.width, canvas.height)) {
      this.show(canvas);
    } else {
      setTimeout(() => {
        if (this.connected) {
          this.show(canvas);
        }
      }, PLAIN_MS);
    }
  }

  /** @param {HTMLCanvasElement} canvas */
  show(canvas) {
    if (!this.painted) {
      this.painted = true;
      tell('painted', { w: canvas.width, h: canvas.height, cls: null, ms: Math.round(performance.now()) });
    }
  }

  /** Asks for an echo by what is answered in any case; while suspended, by what does not make noVNC ask for pictures. */
  ping() {
    if (!this.connected || this.asked !== null) {
      return;
    }
    this.asked = performance.now();
    if (this.suspended) {
      this.allowUpdates();
    } else {
      this.socket?.send(updateRequest(1, 1));
    }
  }

  /** @param {boolean} on */
  suspend(on) {
    const changed = on !== this.suspended;
    this.suspended = on;
    const { canvas } = this;
    if (changed && this.connected && canvas) {
      this.allowUpdates();
      if (!on) {
        this.socket?.send(updateRequest(canvas.width, canvas.height));
      }
    }
  }

  allowUpdates() {
    const { canvas } = this;
    if (this.connected && canvas) {
      this.socket?.send(continuousUpdates(!this.suspended, canvas.width, canvas.height));
    }
  }

  /** @param {boolean} on */
  setReadonly(on) {
    this.readonly = on;
    if (this.rfb) {
      this.rfb.viewOnly = on;
    }
  }
}
