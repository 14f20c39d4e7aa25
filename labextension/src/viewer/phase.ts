/** Derives what the viewer shows from what is known; nothing is stored. */
import type { ISession } from '../core/models';
import { isFinal } from '../core/states';
import type { Obstacle } from './reconnection';

/** What stands there until somebody does something about it. */
export type Stop = 'locked-out' | 'stopped' | 'removed' | 'refused' | 'no-upgrade';
export type Phase =
  'opening' | 'waiting' | 'connecting' | 'windowless' | 'live' | 'resting' | 'reconnecting' | 'ended' | Stop;

const STOPS: Record<Exclude<Obstacle, 'away'>, Stop> = {
  'logged-out': 'locked-out',
  stopped: 'stopped',
  removed: 'removed',
  refused: 'refused',
  'no-upgrade': 'no-upgrade',
};

export interface IKnown {
  /** The server's last word. */
  session: ISession | null;
  /** Whether the server answers. */
  linked: boolean;
  /** What is in its way, as far as it is known. */
  obstacle: Obstacle | null;
  /** Whether a picture of the program is there. */
  picture: boolean;
  /** Whether the connection that painted it is gone. */
  lost: boolean;
  /** Whether the display is there, and has had no window for a while. */
  windowless: boolean;
  /** Whether it was let go because nobody looked. */
  resting: boolean;
}

export function phaseOf({ session, linked, obstacle, picture, lost, windowless, resting }: IKnown): Phase {
  if (session && isFinal(session.state)) {
    return 'ended';
  }
  if (!linked && obstacle && obstacle !== 'away') {
    return STOPS[obstacle];
  }
  if (!linked) {
    return picture ? 'reconnecting' : 'opening';
  }
  if (!session) {
    return 'opening';
  }
  if (session.state !== 'READY') {
    return 'waiting';
  }
  if (windowless) {
    return 'windowless';
  }
  if (!picture) {
    return 'connecting';
  }
  if (resting) {
    return 'resting';
  }
  return lost ? 'reconnecting' : 'live';
}

/** Whether a phase stays until somebody does something. */
export function isStop(phase: Phase): phase is Stop {
  return Object.values(STOPS).some(stop => stop === phase);
}
