/** What the page and its tab are called. */
import type { ISession } from '../core/models';
import type { ITrans } from '../core/trans';
import { isStop, type Phase } from './phase';

/**
 * The title of the window in front, with the user's own name for the session where there is one; `known` is the
 * session's title.
 */
export function pictureTitle(known: string, session: ISession | null, windowTitle: string): string {
  const named = session !== null && session.name !== session.app;
  const said = windowTitle.toLowerCase().includes(known.toLowerCase());
  return [named && !said ? known : '', windowTitle].filter(Boolean).join(' – ') || known;
}

/** The title of the tab: how things are, what runs, and its job. */
export function tabTitle(phase: Phase, asking: boolean, title: string, id: string, trans: ITrans): string {
  return `${asking ? trans.__('Question: ') : before(phase, trans)}${title} · ${id}`;
}

function before(phase: Phase, trans: ITrans): string {
  if (phase === 'live' || phase === 'resting' || phase === 'windowless' || isStop(phase)) {
    return '';
  }
  return phase === 'ended' ? trans.__('Ended: ') : '… ';
}
