/** Sessions, programs and queues in one view: the page /qconnect/, and the panel of JupyterLab. */
import { useEffect, useId, useRef, useState, type ReactElement, type ReactNode } from 'react';

import { getLog, getQueues } from '../core/api';
import type { IAppList } from '../core/apps';
import type { ILaunchLink } from '../core/launch-link';
import type { IStartRequest } from '../core/models';
import type { IServer } from '../core/request';
import { explain } from '../core/text';
import type { ITrans } from '../core/trans';
import { AppTiles } from './app-tiles';
import { Doctor } from './doctor';
import { EndDialog, LogDialog } from './dialogs';
import { LaunchForm } from './launch-form';
import { Queues } from './queue-table';
import { Remedy } from './remedy';
import { SessionList } from './session-list';
import { useOverview, type IOverviewOptions, type IOverviewState } from './use-overview';
import { useSignals } from './use-signals';

/**
 * What the view is given: the models, and what JupyterLab and the page do each in its own way.
 *
 * `start` starts an app and shows its session, is called in the click, and gives what to tell the user (empty when all
 * went well); `open` shows a session elsewhere than in a new tab of the browser; `link` is what the page's address asks
 * for.
 */
export interface IOverviewProps extends IOverviewOptions {
  server: IServer;
  link?: ILaunchLink | null;
}

/** The page's address with this opens the examination. */
export const EXAMINED = '#doctor';

/** The whole view. */
export function Overview(props: IOverviewProps): ReactElement {
  const { sessions, apps, server, trans } = props;
  const state = useOverview(props);
  const { heard, problem, absence, actions, announce } = state;
  useLink(props.link ?? null, apps, state.options);
  return (
    <div className="jp-qconnect jp-qconnect-overview">
      <p className="jp-qconnect-problem jp-qconnect-banner" role="alert" hidden={!problem}>
        {problem} <Remedy absence={absence} spawnUrl={server.spawnUrl} trans={trans} />
      </p>
      <Section title={trans.__('Your sessions')}>
        {heard ? (
          <SessionList sessions={sessions.all} actions={actions} announce={announce} trans={trans} />
        ) : (
          <p className="jp-qconnect-soft">{trans.__('Loading…')}</p>
        )}
      </Section>
      <Section title={trans.__('Start a program')}>
        <Programs apps={apps} state={state} trans={trans} />
        <Queues load={() => getQueues(server)} trans={trans} />
        <Doctor server={server} open={location.hash === EXAMINED} trans={trans} />
      </Section>
      <p className="jp-qconnect-unseen" role="status" aria-live="polite">
        {state.words}
      </p>
      <Question sessions={sessions} apps={apps} server={server} state={state} trans={trans} />
    </div>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }): ReactElement {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

/** Opens the form that a link asks for, once its program is known. */
function useLink(link: ILaunchLink | null, apps: IAppList, open: IOverviewState['options']): void {
  const done = useRef(link === null);
  useSignals(apps.changed);
  useEffect(() => {
    const app = link && apps.find(link.app);
    if (!done.current && app) {
      done.current = true;
      open(app, { spec: link.spec, command: link.command });
    }
  });
}

interface IProgramsProps {
  apps: IAppList;
  state: IOverviewState;
  trans: ITrans;
}

/** The tiles; until the catalogue is there, why it is not. */
function Programs({ apps, state, trans }: IProgramsProps): ReactElement {
  const [words, setWords] = useState(trans.__('Loading…'));
  useSignals(apps.changed);
  useEffect(() => {
    const note = (_: unknown, error: unknown): void => setWords(explain(error, trans));
    apps.failed.connect(note);
    return () => {
      apps.failed.disconnect(note);
    };
  }, [apps]);
  return apps.loaded ? (
    <AppTiles
      apps={apps.all}
      starting={state.starting}
      onChoose={state.choose}
      onOptions={app => state.options(app)}
      onSaved={state.settle}
      trans={trans}
    />
  ) : (
    <p className="jp-qconnect-soft">{words}</p>
  );
}

interface IQuestionProps extends Pick<IOverviewProps, 'sessions' | 'apps' | 'server' | 'trans'> {
  state: IOverviewState;
}

/** The dialog that is open, if one is. */
function Question({ sessions, apps, server, state, trans }: IQuestionProps): ReactElement | null {
  const { asked } = state;
  const onClose = (): void => state.ask(null);
  if (!asked) {
    return null;
  }
  if (asked.about === 'start') {
    const { app, beginning } = asked;
    const onStart = async (request: IStartRequest): Promise<void> => state.submit(app, request);
    const onSaved = (): void => void apps.refresh();
    return <LaunchForm key={app.name} {...{ app, server, beginning, onStart, onSaved, onClose, trans }} />;
  }
  const shared = { session: asked.session, onClose, trans };
  return asked.about === 'end' ? (
    <EndDialog {...shared} end={() => sessions.stop(asked.session.id)} />
  ) : (
    <LogDialog {...shared} load={() => getLog(server, asked.session.id)} />
  );
}
