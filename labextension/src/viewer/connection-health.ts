/** Judges by the clocks what is dead: the line to the server, or the node behind it. */
import { getSession } from '../core/api';
import { mark } from '../core/marks';
import type { ILiveAnswer } from '../core/models';
import { ResponseError, type IServer } from '../core/request';
import { Clocks } from './clocks';
import type { Frames } from './frames';
import { LiveSocket, type Beat } from './live-socket';

const BEAT_MS = 1000;
/** After a break of the line to the server the node gets this long to prove that its connection survived. */
const PROOF_MS = 1500;
const PROBE_MS = 3000;

export interface IHealthWiring {
  server: IServer;
  /** Address of the live websocket. */
  url: string;
  /** Job id. */
  session: string;
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
  /** Whether it answers that the user is not logged in. */
  refused = false;
  /** Whether no answer is due: we are quiet, or have only just begun to ask again. */
  quiet = false;

  constructor(private readonly _wiring: IHealthWiring) {
    this._live = new LiveSocket(_wiring.url, {
      beat: () => {
        this._beatAt = performance.now();
        return _wiring.beat();
      },
      opened: _wiring.opened,
      heard: answer => this._hear(answer),
      down: () => this._down(),
    });
  }

  ask(): void {
    this._live.ask();
  }

  close(): void {
    this._live.close();
  }

  /** Nobody looks: not a word to the server until `wake`. */
  rest(): void {
    this.up = false;
    this.quiet = this._resting = true;
    this._live.rest();
  }

  /** Somebody looks again. */
  wake(): void {
    this._resting = false;
    this._clocks.restart(performance.now());
    this.hurry();
  }

  /** The network is back, says the browser: do not wait for the next attempt. */
  hurry(): void {
    if (!this._live.up && !this._live.over && !this._resting) {
      this._live.open();
    }
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
    if (!this.up) {
      void this._probe();
    } else if (this._live.up && this._clocks.linkDead(now)) {
      this._live.fail('silent');
    } else {
      this._watchNode(now);
    }
  }

  private _hear(answer: ILiveAnswer): void {
    const now = performance.now();
    this._clocks.beat(now);
    this.quiet = false;
    if (!this.up) {
      this.up = true;
      this.refused = false;
      this._clocks.restart(now);
      this._prove(now);
    }
    this._wiring.heard(answer);
  }

  private _down(): void {
    this.up = this.quiet = false;
    this._proveBy = Infinity;
    this._wiring.changed();
    void this._probe();
  }

  /** The line was cut: the picture's own connection may be cut too, or may not. */
  private _prove(now: number): void {
    const { current, lost } = this._wiring.frames;
    if (current && !current.blind && lost === null) {
      current.tell('ping', {});
      this._proveBy = now + PROOF_MS;
    }
  }

  /** Asks by plain HTTP why the websocket fails: browsers do not say. */
  private async _probe(): Promise<void> {
    const now = performance.now();
    if (now - this._probeAt < PROBE_MS || this._live.over) {
      return;
    }
    this._probeAt = now;
    try {
      await getSession(this._wiring.server, this._wiring.session);
      this.refused = false;
    } catch (error) {
      const status = error instanceof ResponseError ? error.status : 0;
      this.refused = status === 401 || status === 403;
      if (status === 404) {
        location.reload(); // it was removed: the server's page says what there is
      }
    }
    this._wiring.changed();
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
  private _probeAt = -Infinity;
  private readonly _clocks = new Clocks(performance.now());
  private readonly _live: LiveSocket;
}
