/** What the viewer says in each phase. */
import type { ISession, ITrouble } from '../core/models';
import { stateWords } from '../core/states';
import { staleWords } from '../core/text';
import type { ITrans } from '../core/trans';
import type { Phase } from './phase';

export interface ISaying {
  title: string;
  line: string;
  note: string;
  tone: 'busy' | 'ended' | 'failed';
}

export interface IWaitingState {
  /** Whether the server answers. */
  linked: boolean;
  /** Why the connection of the shown picture is gone. */
  lost: string | null;
  /** How often the next connection was tried. */
  attempts: number;
  trouble: ITrouble | null;
}

/** Why the display is not reached, when that is what the user waits for. */
export function troubleOf(phase: Phase, { trouble }: IWaitingState): ITrouble | null {
  return phase === 'connecting' || phase === 'reconnecting' ? trouble : null;
}

export function sayingOf(
  phase: Phase,
  session: ISession | null,
  state: IWaitingState,
  trans: ITrans,
): ISaying {
  const title = session?.title ?? trans.__('Session');
  if (phase === 'waiting') {
    return waiting(title, session, trans);
  }
  if (phase === 'ended') {
    return ended(title, session, trans);
  }
  const kept = trans.__('Nothing is lost: the program runs on without this page.');
  if (phase === 'locked-out') {
    const line = trans.__('You are no longer logged in here.');
    return { title, line, note: `${trans.__('Log in again.')} ${kept}`, tone: 'failed' };
  }
  const trouble = troubleOf(phase, state);
  if (phase === 'connecting' && session?.kind === 'terminal' && !trouble) {
    const line = trans.__('No window yet. Programs that are started in the terminal show theirs here.');
    return { title, line, note: trans.__('The terminal itself: qconnect %1', session.id), tone: 'busy' };
  }
  const line = trouble?.message ?? busy(phase, state, trans);
  const away = phase === 'reconnecting' && (trouble !== null || state.lost === 'silent'); // the node may have failed
  return { title, line, note: phase === 'live' || phase === 'resting' || away ? '' : kept, tone: 'busy' };
}

function busy(phase: Phase, { linked, lost, attempts }: IWaitingState, trans: ITrans): string {
  if (phase === 'opening') {
    return linked ? trans.__('Looking for the session…') : trans.__('Waiting for the server…');
  }
  if (phase === 'connecting') {
    return attempts > 3
      ? trans.__('The display does not answer yet. Trying again…')
      : trans.__('Opening the display…');
  }
  if (phase === 'resting') {
    return trans.__('Nobody looked for a while. Bringing the picture up to date…');
  }
  return phase === 'reconnecting' ? reconnecting(linked, lost, trans) : '';
}

function reconnecting(linked: boolean, lost: string | null, trans: ITrans): string {
  if (!linked) {
    return trans.__('The server does not answer. Reconnecting…');
  }
  return lost === 'silent'
    ? trans.__('The compute node does not answer. Reconnecting…')
    : trans.__('Reconnecting…');
}

function waiting(title: string, session: ISession | null, trans: ITrans): ISaying {
  const words = session ? stateWords(session.state, trans).word : trans.__('Starting');
  const line = `${session?.reason ?? `${words}…`} ${staleWords(session?.stale_since ?? null, trans)}`.trim();
  const stay = trans.__('You can close this tab: the program starts all the same and waits for you.');
  return { title, line, note: session?.state === 'ENDING' ? '' : stay, tone: 'busy' };
}

function ended(title: string, session: ISession | null, trans: ITrans): ISaying {
  const failed = session?.state === 'FAILED';
  const status = session?.exit_status ?? null;
  const over = failed ? trans.__('The session failed.') : trans.__('The session has ended.');
  const line = session?.reason ?? over;
  const known = status === null || line.includes('exit status');
  return {
    title: failed ? trans.__('%1 did not run to its end', title) : trans.__('%1 has ended', title),
    line,
    note: known ? '' : trans.__('Exit status %1.', status),
    tone: failed ? 'failed' : 'ended',
  };
}
