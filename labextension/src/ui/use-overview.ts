/** What the overview remembers between two pictures: what is asked, told and under way. */
import { useEffect, useState } from 'react';

import type { Absence } from '../core/absence';
import type { IApp, ISession } from '../core/models';
import { absenceOf } from '../core/request';
import type { ISessionList } from '../core/sessions';
import { explain } from '../core/text';
import type { ITrans } from '../core/trans';
import type { ISessionActions } from './session-list';
import { useSignals } from './use-signals';

/** The dialog that is open. */
export type Asked =
  { about: 'end'; session: ISession } | { about: 'log'; session: ISession } | { about: 'start'; app: IApp };

/** What the overview's memory needs. */
export interface IOverviewOptions {
  sessions: ISessionList;
  start: (app: IApp, command: string[]) => Promise<string>;
  open?: (session: ISession) => void;
  trans: ITrans;
}

/** What the overview shows and calls. */
export interface IOverviewState {
  /** Whether the server has told of its sessions yet. */
  heard: boolean;
  problem: string;
  /** Why the server itself does not speak, if that is the problem. */
  absence: Absence | null;
  /** What is said aloud. */
  words: string;
  announce: (words: string) => void;
  asked: Asked | null;
  ask: (asked: Asked | null) => void;
  actions: ISessionActions;
  starting: ReadonlySet<string>;
  choose: (app: IApp) => void;
  start: (app: IApp, command: string[]) => void;
}

/** The memory of one overview. */
export function useOverview(options: IOverviewOptions): IOverviewState {
  const { sessions, open, trans } = options;
  const [asked, ask] = useState<Asked | null>(null);
  const [words, announce] = useState('');
  const [failure, fail] = useState('');
  const { heard, silence, absence: found } = useLooks(sessions, trans);
  const { starting, begin } = useStarts(options.start, fail);
  const start = (app: IApp, command: string[]): void => {
    ask(null);
    announce(trans.__('Starting %1', app.title));
    begin(app, command);
  };
  const actions = {
    open,
    end: (session: ISession) => ask({ about: 'end', session }),
    log: (session: ISession) => ask({ about: 'log', session }),
    forget: (session: ISession) => {
      sessions.forget(session.id).catch((error: unknown) => fail(explain(error, trans)));
    },
  };
  const choose = (app: IApp): void => (app.takes_command ? ask({ about: 'start', app }) : start(app, []));
  const problem = failure || silence;
  const absence = failure ? null : found;
  return { heard, problem, absence, words, announce, asked, ask, actions, starting, choose, start };
}

/** Whether the server has spoken yet, and what is wrong while it does not; the next answer takes that back. */
function useLooks(
  sessions: ISessionList,
  trans: ITrans,
): { heard: boolean; silence: string; absence: Absence | null } {
  const [heard, setHeard] = useState(sessions.all.length > 0);
  const [error, setError] = useState<Error | null>(null);
  useSignals(sessions.changed, sessions.looked);
  useEffect(() => {
    const note = (_: unknown, found: Error | null): void => {
      setError(found);
      setHeard(known => known || !found);
    };
    sessions.looked.connect(note);
    sessions.refresh().catch(() => undefined); // `looked` has told it
    return () => {
      sessions.looked.disconnect(note);
    };
  }, [sessions]);
  const silence = error ? explain(error, trans) : '';
  return { heard, silence, absence: error && absenceOf(error) };
}

/** The starts that are under way; what goes wrong with one stays to be read until the next. */
function useStarts(
  start: IOverviewOptions['start'],
  fail: (words: string) => void,
): { starting: ReadonlySet<string>; begin: (app: IApp, command: string[]) => void } {
  const [starting, setStarting] = useState<ReadonlySet<string>>(new Set());
  const begin = (app: IApp, command: string[]): void => {
    fail('');
    setStarting(others => new Set([...others, app.name]));
    void start(app, command)
      .then(fail)
      .finally(() => setStarting(others => new Set([...others].filter(name => name !== app.name))));
  };
  return { starting, begin };
}
