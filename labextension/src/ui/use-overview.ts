/** What the overview remembers between two pictures: what is asked, told and under way. */
import { useEffect, useState } from 'react';

import type { Absence } from '../core/absence';
import type { IAppList } from '../core/apps';
import type { IApp, ISession, ISettings, IStartRequest } from '../core/models';
import { absenceOf, ResponseError } from '../core/request';
import type { ISessionList } from '../core/sessions';
import { explain } from '../core/text';
import type { ITrans } from '../core/trans';
import type { ISessionActions } from './session-list';
import type { IBeginning } from './use-launch-form';
import { useSignals } from './use-signals';

/** The dialog that is open. */
export type Asked =
  | { about: 'end'; session: ISession }
  | { about: 'log'; session: ISession }
  | { about: 'start'; app: IApp; beginning?: IBeginning };

/** What the overview's memory needs. */
export interface IOverviewOptions {
  sessions: ISessionList;
  apps: IAppList;
  /** Starts an app and shows its session; gives what to tell its user all the same. Rejects when nothing was started. */
  start: (app: IApp, request: IStartRequest) => Promise<string>;
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
  /** Opens the form. */
  options: (app: IApp, beginning?: IBeginning) => void;
  /** Starts what settings ask for. */
  settle: (app: IApp, settings: Pick<ISettings, 'spec' | 'command'>) => void;
  /** Starts what the form asks for. */
  submit: (app: IApp, request: IStartRequest) => Promise<void>;
}

/** The memory of one overview. */
export function useOverview(options: IOverviewOptions): IOverviewState {
  const { sessions, open, trans } = options;
  const [asked, ask] = useState<Asked | null>(null);
  const [words, announce] = useState('');
  const [failure, fail] = useState('');
  const { heard, silence, absence: found } = useLooks(sessions, trans);
  const form = (app: IApp, beginning?: IBeginning): void =>
    ask({ about: 'start', app, ...(beginning && { beginning }) });
  const { starting, ...starts } = useStarts(options, { announce, fail, form });
  const actions = {
    open,
    end: (session: ISession) => ask({ about: 'end', session }),
    log: (session: ISession) => ask({ about: 'log', session }),
    forget: (session: ISession) => {
      sessions.forget(session.id).catch((error: unknown) => fail(explain(error, trans)));
    },
    ...againActions(options.apps, form, starts.settle),
  };
  const problem = failure || silence;
  const absence = failure ? null : found;
  const told = { heard, problem, absence, words, announce };
  return { ...told, asked, ask, actions, starting, options: form, ...starts };
}

/** What was started once can be started again, as it was or with changes, as long as its program is there. */
function againActions(
  apps: IAppList,
  form: IOverviewState['options'],
  settle: (app: IApp, settings: Pick<ISettings, 'spec' | 'command'>) => void,
): Pick<ISessionActions, 'again' | 'change' | 'startable'> {
  const appOf = (session: ISession): IApp | undefined => {
    const app = apps.find(session.app);
    return app?.available ? app : undefined;
  };
  const settingsOf = ({ spec, command }: ISession): Pick<ISettings, 'spec' | 'command'> => ({
    spec: spec as ISettings['spec'],
    command,
  });
  const withApp = (session: ISession, act: (app: IApp) => void): void => {
    const app = appOf(session);
    if (app) {
      act(app);
    }
  };
  return {
    startable: session => appOf(session) !== undefined,
    again: session => withApp(session, app => settle(app, settingsOf(session))),
    change: session => withApp(session, app => form(app, settingsOf(session))),
  };
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

interface IVoices {
  announce: (words: string) => void;
  fail: (words: string) => void;
  form: (app: IApp, beginning?: IBeginning) => void;
}

/** The starts that are under way; what goes wrong with one stays to be read until the next. */
function useStarts(
  { apps, start, trans }: IOverviewOptions,
  { announce, fail, form }: IVoices,
): Pick<IOverviewState, 'starting' | 'choose' | 'settle' | 'submit'> {
  const [starting, setStarting] = useState<ReadonlySet<string>>(new Set());
  const refused = (app: IApp, request: IStartRequest, error: unknown): void => {
    const beginning = beginningOf(request, error);
    if (beginning) {
      form(app, beginning);
    } else {
      fail(explain(error, trans));
    }
  };
  const begin = (app: IApp, asked: Omit<IStartRequest, 'app'>): void => {
    const request = { app: app.name, ...asked };
    fail('');
    announce(trans.__('Starting %1', app.title));
    setStarting(others => new Set([...others, app.name]));
    void start(app, request)
      .then(fail, (error: unknown) => refused(app, request, error))
      .finally(() => setStarting(others => new Set([...others].filter(name => name !== app.name))));
  };
  return {
    starting,
    ...waysToStart(apps, form, begin),
    submit: async (app, request) => fail(await start(app, request)),
  };
}

/** A tile, settings and a session that has ended: what each starts, or the form where something must be asked first. */
function waysToStart(
  { tile }: IAppList,
  form: IVoices['form'],
  begin: (app: IApp, asked: Omit<IStartRequest, 'app'>) => void,
): Pick<IOverviewState, 'choose' | 'settle'> {
  return {
    choose: app =>
      app.takes_command || tile === 'form'
        ? form(app)
        : begin(app, tile === 'last-used' ? { last: true } : {}),
    settle: (app, { spec, command }) => {
      if (app.takes_command && !command) {
        form(app, { spec, command });
      } else {
        begin(app, { spec, ...(app.takes_command && command && { command }) });
      }
    },
  };
}

/** What the form begins with after a refusal; null for one that is about none of its fields. */
function beginningOf({ last, spec, command }: IStartRequest, error: unknown): IBeginning | null {
  if (!(error instanceof ResponseError) || !Object.keys(error.fields).length) {
    return null;
  }
  return { ...(last ? {} : { spec: spec ?? {} }), command: command ?? null, error };
}
