/** One iframe with the HTML5 client in it, and the messages between it and this page. */
import { mark } from '../core/marks';
import type { IClientAddress } from '../core/models';
import { commandMessage, readEvent, type ClientEvent, type ICommands } from './messages';

const PARAMS = {
  reconnect: 'false',
  sharing: 'true',
  steal: 'true',
  sound: 'false',
  printing: 'false',
  remote_logging: 'false',
  floating_menu: 'false',
  clock: 'false',
  video: 'false',
  hold: '1',
};

export type FrameState = 'loading' | 'held' | 'connecting' | 'opened' | 'painted' | 'closed';

let count = 0;

export class Frame {
  readonly number = ++count;
  readonly element = document.createElement('iframe');
  state: FrameState = 'loading';
  since = performance.now();
  attempts = 0;
  /** The program's title, as last heard. */
  title = '';
  /** How many windows there are, and since when (ms of the page's clock); null while that is not known. */
  windows: { count: number; since: number } | null = null;
  /** Whether its websocket was open once. */
  reached = false;
  /** An unknown client version: it connects by itself and tells nothing. */
  blind = false;

  /**
   * `stage` is where it is shown, `name` what it is called at first, `fill` whether the program's main window takes all
   * of it; `_listener` hears what its client says.
   */
  constructor(
    stage: HTMLElement,
    readonly address: IClientAddress,
    { name, fill }: { name: string; fill: boolean },
    private readonly _listener: (frame: Frame, event: ClientEvent) => void,
  ) {
    this.element.title = name;
    this.element.className = 'display coming';
    this.element.allow = 'clipboard-write; fullscreen; keyboard-map';
    if (address.sandbox) {
      this.element.setAttribute('sandbox', 'allow-scripts allow-downloads allow-pointer-lock');
    } else {
      this.element.allow += '; clipboard-read'; // not for a client that a node has sent
    }
    this.element.referrerPolicy = 'no-referrer';
    const hold_keys = address.hold_keys ? '1' : '0';
    const chosen = { path: address.path, hold_keys, fill: fill ? '1' : '0' };
    const parameters = new URLSearchParams({ ...PARAMS, ...chosen });
    this.element.src = `${address.url}#${parameters.toString()}`;
    stage.prepend(this.element);
    mark('frame', { number: this.number, sandbox: address.sandbox });
  }

  become(state: FrameState): void {
    this.state = state;
    this.since = performance.now();
  }

  tell<C extends keyof ICommands>(command: C, data: ICommands[C]): void {
    this.element.contentWindow?.postMessage(commandMessage(command, data), '*');
  }

  /** Connects, for the first time or once more. */
  go(): void {
    mark('go', { number: this.number, attempt: this.attempts });
    this.attempts++;
    this.windows = null;
    this.become('connecting');
    this.tell('go', {});
  }

  /** Its client has heard of so many windows. */
  count(count: number): void {
    if (count !== this.windows?.count) {
      this.windows = { count, since: performance.now() };
    }
  }

  /** Shows the picture: it has painted. */
  show(): void {
    this.become('painted');
    this.element.classList.remove('coming');
  }

  /** Takes a message from this frame; anything that its client would not say is left alone. */
  take(message: unknown): void {
    const event = readEvent(message);
    if (event) {
      this._listener(this, event);
    }
  }

  remove(): void {
    this.element.remove();
  }
}
