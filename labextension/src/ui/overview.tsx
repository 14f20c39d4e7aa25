/** Sessions, programs and queues in one view: the page /qconnect/, and the panel of JupyterLab. */
import { useEffect, useId, useState, type ReactElement, type ReactNode } from 'react';

import { getLog, getQueues } from '../core/api';
import type { IAppList } from '../core/apps';
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
 * went well); `open` shows a session elsewhere than in a new tab of the browser.
 */
export interface IOverviewProps extends IOverviewOptions {
  apps: IAppList;
  server: IServer;
}

/** The page's address with this opens the examination. */
export const EXAMINED = '#doctor';

/** The whole view. */
export function Overview(props: IOverviewProps): ReactElement {
  const { sessions, apps, server, trans } = props;
  const state = useOverview(props);
  const { heard, problem, absence, actions, announce, starting, choose } = state;
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
        <Programs apps={apps} starting={starting} onChoose={choose} trans={trans} />
        <Queues load={() => getQueues(server)} trans={trans} />
        <Doctor server={server} open={location.hash === EXAMINED} trans={trans} />
      </Section>
      <p className="jp-qconnect-unseen" role="status" aria-live="polite">
        {state.words}
      </p>
      <Question sessions={sessions} server={server} state={state} trans={trans} />
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

interface IProgramsProps extends Pick<IOverviewState, 'starting'> {
  apps: IAppList;
  onChoose: IOverviewState['choose'];
  trans: ITrans;
}

/** The tiles; until the catalogue is there, why it is not. */
function Programs({ apps, starting, onChoose, trans }: IProgramsProps): ReactElement {
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
    <AppTiles apps={apps.all} starting={starting} onChoose={onChoose} trans={trans} />
  ) : (
    <p className="jp-qconnect-soft">{words}</p>
  );
}

interface IQuestionProps extends Pick<IOverviewProps, 'sessions' | 'server' | 'trans'> {
  state: IOverviewState;
}

/** The dialog that is open, if one is. */
function Question({ sessions, server, state, trans }: IQuestionProps): ReactElement | null {
  const { asked, start } = state;
  const onClose = (): void => state.ask(null);
  if (!asked) {
    return null;
  }
  if (asked.about === 'start') {
    const { app } = asked;
    return <LaunchForm app={app} onStart={command => start(app, command)} onClose={onClose} trans={trans} />;
  }
  const shared = { session: asked.session, onClose, trans };
  return asked.about === 'end' ? (
    <EndDialog {...shared} end={() => sessions.stop(asked.session.id)} />
  ) : (
    <LogDialog {...shared} load={() => getLog(server, asked.session.id)} />
  );
}
