/** What the viewer says in each phase. */
import { passUpgradeOn } from '../core/front';
import type { ISession, ITrouble } from '../core/models';
import { stateWords } from '../core/states';
import { staleWords } from '../core/text';
import type { ITrans } from '../core/trans';
import { isStop, type Phase, type Stop } from './phase';

export interface ISaying {
  title: string;
  line: string;
  note: string;
  tone: 'busy' | 'quiet' | 'ended' | 'failed';
}

export interface IWaitingState {
  /** Whether the server answers. */
  linked: boolean;
  /** Why the connection of the shown picture is gone. */
  lost: string | null;
  /** How often the next connection was tried. */
  attempts: number;
  trouble: ITrouble | null;
  /** What the server says of what is in its way. */
  words: string;
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
  if (isStop(phase)) {
    const { line, note } = stopped(phase, state.words, trans);
    return { title, line, note: phase === 'removed' ? note : `${note} ${kept}`.trim(), tone: 'failed' };
  }
  const trouble = troubleOf(phase, state);
  if (!trouble && (phase === 'windowless' || (phase === 'connecting' && session?.kind === 'terminal'))) {
    return windowless(title, phase, session, trans);
  }
  const line = trouble?.message ?? busy(phase, state, trans);
  const away = phase === 'reconnecting' && (trouble !== null || state.lost === 'silent'); // the node may have failed
  return { title, line, note: phase === 'live' || phase === 'resting' || away ? '' : kept, tone: 'busy' };
}

/** In a terminal nobody has to wait until it is clear that there is no window. */
function windowless(title: string, phase: Phase, session: ISession | null, trans: ITrans): ISaying {
  const tone = phase === 'windowless' ? 'quiet' : 'busy';
  if (session?.kind === 'terminal') {
    const line = trans.__('No window yet. Programs that are started in the terminal show theirs here.');
    return { title, line, note: trans.__('The terminal itself: qconnect %1', session.id), tone };
  }
  const line = trans.__(
    'The program runs, but shows no window. A window appears here as soon as there is one.',
  );
  const note = trans.__('It may still be starting, or work without one. What it said is in its log.');
  return { title, line, note, tone };
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

/** What is in the way, and what to do. */
function stopped(phase: Stop, words: string, trans: ITrans): { line: string; note: string } {
  switch (phase) {
    case 'locked-out':
      return { line: trans.__('You are no longer logged in here.'), note: trans.__('Log in again.') };
    case 'stopped':
      return { line: trans.__('Your Jupyter server is not running.'), note: trans.__('Start it again.') };
    case 'removed':
      return {
        line: trans.__('There is no such session any more.'),
        note: trans.__('It was removed from the list after it ended.'),
      };
    case 'refused':
      return { line: words || trans.__('The server refuses this page a websocket.'), note: '' };
    case 'no-upgrade':
      return {
        line: trans.__('The server answers, but no websocket gets through to it.'),
        note: trans.__('Tell your administrator: %1', passUpgradeOn(trans)),
      };
  }
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
