/** Keeps the program's picture: the frame that shows it, and the next one that loads under it. */
import { mark } from '../core/marks';
import type { IClientAddress } from '../core/models';
import type { ITrans } from '../core/trans';
import { Frame } from './frame';
import { due } from './loading';
import type { ClientEvent } from './messages';

/** So long a display may be without a window before that is told. */
const WINDOWLESS_MS = 10000;
/** After so many failed attempts a frame is loaded anew: something in it may be broken. */
const ATTEMPTS = 8;
/** Why the connection is gone when nobody looked. */
const RESTING = 'resting';

export interface IFramesHooks {
  /** The shown client says something. */
  event: (event: ClientEvent) => void;
  painted: () => void;
  lost: (why: string) => void;
  /** Something may be due now. */
  moved: () => void;
  /** A frame is on the stage. */
  opened: () => void;
}

export interface ISituation {
  /** Whether the session's display is there, and nobody is asked about the way to it. */
  ready: boolean;
  /** Whether the server answers. */
  linked: boolean;
  /** Whether anybody could see it: hidden tabs do not paint. */
  visible: boolean;
  /** Whether the session has ended. */
  over: boolean;
  /** Whether the program's main window takes all of the stage. */
  fill: boolean;
  address: IClientAddress | null;
}

export class Frames {
  constructor(
    private readonly _stage: HTMLElement,
    private readonly _trans: ITrans,
    private readonly _hooks: IFramesHooks,
  ) {
    window.addEventListener('message', (event: MessageEvent<unknown>) => {
      this._all.find(({ element }) => element.contentWindow === event.source)?.take(event.data);
    });
  }

  /** The frame whose picture is shown. */
  get current(): Frame | null {
    return this._current;
  }

  /** Why the connection of the shown picture is gone; null while it is alive. */
  get lost(): string | null {
    return this._lost;
  }

  /** Whether the display has been there for a while, with no window on it. */
  get windowless(): boolean {
    const windows = (this._lost === null ? (this._current ?? this._next) : this._next)?.windows;
    return windows?.count === 0 && performance.now() - windows.since > WINDOWLESS_MS;
  }

  /** How often the next frame has tried to connect. */
  get attempts(): number {
    return this._next?.attempts ?? 0;
  }

  /** Whether the connection was let go because nobody looked. */
  get resting(): boolean {
    return this._lost === RESTING;
  }

  get readonly(): boolean {
    return this._readonly;
  }

  /** Whether a frame should be loaded: then the server is asked from where. */
  get wanting(): boolean {
    return !this._next && (!this._current || this._lost !== null);
  }

  /** The shown picture is no longer alive; it stays until another is there. */
  lose(why: string): void {
    if (this._current && this._lost === null) {
      this._lost = why;
      mark('lost', why);
      this._hooks.lost(why);
    }
  }

  /** Does what is due now. */
  steer(situation: ISituation): void {
    const { over, visible, linked, fill, address } = situation;
    this._fill = fill;
    if (over || (this._current && this._lost === null)) {
      this._dropNext('not needed');
      return;
    }
    if (!visible || !linked) {
      if (this._next) {
        this._next.since = performance.now(); // it cannot make progress: its time does not run
      }
      return;
    }
    if (this._next && address && !address.sandbox && address.url !== this._next.address.url) {
      this._dropNext('another client');
    }
    if (this._next) {
      this._advance(this._next, situation);
    } else if (address) {
      this._load(address);
    }
  }

  /**
   * Nobody looks: lets go of the connection. The picture stays, and a client stands ready to take its place; one that
   * cannot be told goes as a whole.
   */
  rest(): void {
    const current = this._current;
    this._dropNext('nobody looks');
    if (current?.blind) {
      current.remove();
      this._current = null;
    } else if (current) {
      current.tell('leave', {});
      this._lost = RESTING;
      this._load(current.address);
    }
  }

  setReadonly(on: boolean): void {
    this._readonly = on;
    this._all.forEach(frame => frame.tell('readonly', { on }));
  }

  setSuspended(on: boolean): void {
    if (on !== this._suspended) {
      this._suspended = on;
      mark('suspend', on);
      this._current?.tell('suspend', { on });
    }
  }

  /** Gives the keyboard to the program. */
  focus(): void {
    if (this._current && !this._readonly) {
      this._current.element.focus();
      this._current.tell('focus', {});
    }
  }

  private _load(address: IClientAddress): void {
    const dress = { name: this._trans.__('Program'), fill: this._fill };
    this._next = new Frame(this._stage, address, dress, (frame, event) => this._hear(frame, event));
    this._hooks.opened();
  }

  private get _all(): Frame[] {
    return [this._current, this._next].filter(frame => frame !== null);
  }

  private _advance(next: Frame, { ready }: ISituation): void {
    const step = due(next, ready, performance.now());
    if (step === 'go') {
      next.go();
    } else if (step === 'again') {
      this._again(next);
    } else if (step === 'drop') {
      this._dropNext(`${next.state} too long`);
    }
  }

  private _again(next: Frame): void {
    if (this.resting) {
      this._lost = 'closed'; // by now it is another matter
    }
    if (next.blind || next.reached || next.attempts >= ATTEMPTS) {
      this._dropNext('failed'); // what was half shown is in the way, and a blind client cannot be told
    } else {
      next.go();
    }
  }

  private _dropNext(why: string): void {
    if (this._next) {
      mark('drop', { number: this._next.number, why });
      this._next.remove();
      this._next = null;
    }
  }

  private _hear(frame: Frame, event: ClientEvent): void {
    if (event.name !== 'echo' && event.name !== 'input') {
      mark(`agent-${event.name}`, { number: frame.number, ...event.data });
    }
    if (event.name === 'title') {
      frame.title = event.data.title;
    } else if (event.name === 'windows') {
      frame.count(event.data.count ?? 1);
    }
    if (event.name === 'closed') {
      this._closed(frame, event.data.reason);
    } else if (frame === this._next) {
      this._progress(frame, event);
    } else {
      if (event.name === 'echo' && this._lost === 'silent') {
        this._revive();
      }
      this._hooks.event(event);
    }
  }

  /** What the next frame's client says. */
  private _progress(frame: Frame, event: ClientEvent): void {
    if (event.name === 'loaded') {
      frame.become('held');
      frame.tell('readonly', { on: this._readonly });
      this._hooks.moved();
    } else if (event.name === 'opened') {
      frame.reached = true;
      frame.become('opened');
    } else if (event.name === 'painted') {
      this._promote(frame, event.data);
    } else if (event.name === 'unknown') {
      frame.blind = true;
      this._promote(frame, {});
    }
  }

  private _closed(frame: Frame, reason: string | null): void {
    if (frame === this._next) {
      frame.become('closed');
    } else if (frame === this._current) {
      this.lose(reason === null ? 'closed' : `closed: ${reason}`);
    }
  }

  /** The next frame has painted: it takes the place of the one before. */
  private _promote(frame: Frame, data: object): void {
    frame.show();
    if (document.activeElement === this._current?.element) {
      frame.element.focus(); // with the frame that has it, the focus would leave the page
    }
    this._current?.remove();
    this._current = frame;
    this._next = null;
    this._lost = null;
    frame.tell('readonly', { on: this._readonly });
    frame.tell('suspend', { on: this._suspended });
    mark('painted', data);
    this._hooks.painted();
    if (frame.title) {
      this._hooks.event({ name: 'title', data: { title: frame.title } });
    }
  }

  /** The node speaks again before another frame has painted: nothing was lost. */
  private _revive(): void {
    mark('revived');
    this._lost = null;
    this._dropNext('revived');
    this._hooks.painted();
  }

  private _current: Frame | null = null;
  private _next: Frame | null = null;
  /** Whether the program's main window takes the whole tab. */
  private _fill = false;
  private _lost: string | null = null;
  private _readonly = false;
  private _suspended = false;
}
