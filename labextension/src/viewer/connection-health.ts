/** Judges by the clocks what is dead: the line to the server, or the node behind it. */
import { mark } from '../core/marks';
import type { ILiveAnswer } from '../core/models';
import type { IServer } from '../core/request';
import { Clocks } from './clocks';
import type { Frames } from './frames';
import { LiveSocket, type Beat } from './live-socket';
import { Reconnection, type Obstacle } from './reconnection';

const BEAT_MS = 1000;
/** After a break of the line to the server the node gets this long to prove that its connection survived. */
const PROOF_MS = 1500;

export interface IHealthWiring {
  server: IServer;
  /** Job id. */
  session: string;
  /** Whether anybody sees the page. */
  seen: () => boolean;
  frames: Frames;
  /** What each heartbeat says. */
  beat: () => Beat;
  opened: () => void;
  heard: (answer: ILiveAnswer) => void;
  changed: () => void;
}

export class ConnectionHealth {
  /** Whether the server answers. */
  up = false;
  /** Whether no answer is due: we are quiet, or have only just begun to ask again. */
  quiet = false;

  constructor(private readonly _wiring: IHealthWiring) {
    const { server, session, seen, changed } = _wiring;
    const address = `qconnect/${session}/live`;
    const open = (): void => this._live.open();
    this._reconnection = new Reconnection({ server, session, address, open, seen, changed });
    this._live = new LiveSocket(`${location.origin.replace(/^http/, 'ws')}${server.baseUrl}${address}`, {
      beat: () => {
        this._beatAt = performance.now();
        return _wiring.beat();
      },
      opened: _wiring.opened,
      heard: answer => this._hear(answer),
      down: worked => this._down(worked),
    });
    this._live.open();
  }

  /** What is in the way of the server; null when nothing is, or nothing is known of it. */
  get obstacle(): Obstacle | null {
    return this._reconnection.obstacle;
  }

  /** What the server itself says of that. */
  get words(): string {
    return this._reconnection.words;
  }

  ask(): void {
    this._live.ask();
  }

  close(): void {
    this._reconnection.stop();
    this._live.close();
  }

  /** Nobody looks: not a word to the server until `wake`. */
  rest(): void {
    this.up = false;
    this.quiet = this._resting = true;
    this._reconnection.stop();
    this._live.close();
  }

  /** Somebody looks again. */
  wake(): void {
    this._resting = false;
    this._clocks.restart(performance.now());
    this._reconnection.begin();
  }

  /** The page is seen, or the network is back: the next attempt is made now. */
  hurry(): void {
    this._reconnection.hurry();
  }

  /** The node answered. */
  echo(): void {
    this._clocks.echo(performance.now());
    this._proveBy = Infinity;
  }

  /** A new connection has painted. */
  painted(): void {
    this._clocks.restart(performance.now());
    this._proveBy = Infinity;
  }

  /** Four times a second. */
  tick(): void {
    if (this._resting) {
      return;
    }
    const now = performance.now();
    if (this._clocks.tick(now)) {
      mark('woke');
      this._live.ask();
      this._wiring.frames.current?.tell('ping', {});
      return;
    }
    if (now - this._beatAt >= BEAT_MS) {
      this._live.ask();
    }
    if (this._live.up && this._clocks.linkDead(now)) {
      this._live.fail('silent');
    } else if (this.up) {
      this._watchNode(now);
    }
  }

  private _hear(answer: ILiveAnswer): void {
    const now = performance.now();
    this._clocks.beat(now);
    this.quiet = false;
    if (!this.up) {
      this.up = true;
      this._reconnection.opened();
      this._clocks.restart(now);
      this._prove(now);
    }
    this._wiring.heard(answer);
  }

  private _down(worked: boolean): void {
    this.up = this.quiet = false;
    this._proveBy = Infinity;
    this._wiring.changed();
    this._reconnection.down(worked);
  }

  /** The line was cut: the picture's own connection may be cut too, or may not. */
  private _prove(now: number): void {
    const { current, lost } = this._wiring.frames;
    if (current && !current.blind && lost === null) {
      current.tell('ping', {});
      this._proveBy = now + PROOF_MS;
    }
  }

  private _watchNode(now: number): void {
    const { frames } = this._wiring;
    if (!frames.current || frames.current.blind) {
      return;
    }
    if (this._clocks.shouldAsk(now)) {
      frames.current.tell('ping', {});
    }
    if (now > this._proveBy) {
      this._proveBy = Infinity;
      frames.lose('line');
    } else if (this._clocks.nodeDead(now)) {
      frames.lose('silent');
    }
  }

  private _resting = false;
  private _proveBy = Infinity;
  private _beatAt = -Infinity;
  private readonly _clocks = new Clocks(performance.now());
  private readonly _live: LiveSocket;
  private readonly _reconnection: Reconnection;
}
