/** Derives what the viewer shows from what is known; nothing is stored. */
import type { ISession } from '../core/models';
import { isFinal } from '../core/states';

export type Phase =
  'opening' | 'waiting' | 'connecting' | 'windowless' | 'live' | 'reconnecting' | 'ended' | 'locked-out';

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
  /** Whether the display is there, and has had no window for a while. */
  windowless: boolean;
}

export function phaseOf({ session, linked, refused, picture, lost, windowless }: IKnown): Phase {
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
  if (windowless) {
    return 'windowless';
  }
  if (!picture) {
    return 'connecting';
  }
  return lost ? 'reconnecting' : 'live';
}
