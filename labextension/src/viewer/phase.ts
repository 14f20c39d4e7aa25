/** Derives what the viewer shows from what is known; nothing is stored. */
import type { ISession } from '../core/models';
import { isFinal } from '../core/states';

export type Phase =
  'opening' | 'waiting' | 'connecting' | 'live' | 'resting' | 'reconnecting' | 'ended' | 'locked-out';

export interface IKnown {
  /** The server's last word. */
  session: ISession | null;
  /** Whether the server answers. */
  linked: boolean;
  /** Whether it answers that the user is not logged in. */
  refused: boolean;
  /** Whether a picture of the program is there. */
  picture: boolean;
  /** Whether the connection that painted it is gone. */
  lost: boolean;
  /** Whether it was let go because nobody looked. */
  resting: boolean;
}

export function phaseOf({ session, linked, refused, picture, lost, resting }: IKnown): Phase {
  if (session && isFinal(session.state)) {
    return 'ended';
  }
  if (refused) {
    return 'locked-out';
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
  if (!picture) {
    return 'connecting';
  }
  if (resting) {
    return 'resting';
  }
  return lost ? 'reconnecting' : 'live';
}
