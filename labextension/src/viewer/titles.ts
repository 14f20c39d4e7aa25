/** What the page and its tab are called. */
import type { ISession } from '../core/models';
import type { ITrans } from '../core/trans';
import { isStop, type Phase } from './phase';

export class Title {
  session: ISession | null = null;
  /** Of the window in front. */
  window = '';

  /** `_first` is the session's title as the page came with it. */
  constructor(private readonly _first: string) {}

  /** The session's title. */
  get known(): string {
    return this.session?.title ?? this._first;
  }

  /** The title of the window in front, with the user's own name for the session where there is one. */
  get picture(): string {
    const { session, known, window } = this;
    const named = session !== null && session.name !== session.app;
    const said = window.toLowerCase().includes(known.toLowerCase());
    return [named && !said ? known : '', window].filter(Boolean).join(' – ') || known;
  }

  /** What the page is called in this phase: the window in front is only known while it is seen. */
  during(phase: Phase): string {
    return phase === 'live' ? this.picture : this.known;
  }

  /** The title of the tab: how things are, what runs, and its job. */
  tab(phase: Phase, asking: boolean, trans: ITrans): string {
    const how = asking ? trans.__('Question: ') : before(phase, trans);
    return `${how}${this.during(phase)} · ${this.session?.id ?? ''}`;
  }
}

function before(phase: Phase, trans: ITrans): string {
  if (phase === 'live' || phase === 'resting' || phase === 'windowless' || isStop(phase)) {
    return '';
  }
  return phase === 'ended' ? trans.__('Ended: ') : '… ';
}
