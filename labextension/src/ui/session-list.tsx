/** The sessions, one row each: those that run, and those that have ended in a box of their own. */
import { useEffect, useRef, useState, type MouseEvent, type ReactElement } from 'react';

import type { ISession, SessionState } from '../core/models';
import { isFinal, stateWords } from '../core/states';
import { duration, staleWords } from '../core/text';
import type { ITrans } from '../core/trans';

/** What can be done with a session. */
export interface ISessionActions {
  /** Shows it elsewhere than in a new tab of the browser, where its link leads. */
  open?: ((session: ISession) => void) | undefined;
  end: (session: ISession) => void;
  log: (session: ISession) => void;
  forget: (session: ISession) => void;
  /** Whether its program can be started again. */
  startable: (session: ISession) => boolean;
  /** Starts the same once more. */
  again: (session: ISession) => void;
  /** Opens the form with what it was asked for. */
  change: (session: ISession) => void;
}

/** What the list is given. */
export interface ISessionListProps {
  /** Newest first. */
  sessions: readonly ISession[];
  actions: ISessionActions;
  /** Says aloud what has changed. */
  announce: (words: string) => void;
  trans: ITrans;
}

/** All sessions; a failure is not tucked away before it was seen. */
export function SessionList({ sessions, actions, announce, trans }: ISessionListProps): ReactElement {
  const [showEnded, setShowEnded] = useState(false);
  useChanges(sessions, session => {
    announce(`${session.title} ${session.id}: ${stateWords(session.state, trans).word}`);
    if (session.state === 'FAILED') {
      setShowEnded(true);
    }
  });
  const running = sessions.filter(({ state }) => !isFinal(state));
  const ended = sessions.filter(({ state }) => isFinal(state));
  return (
    <>
      {!running.length && <p className="jp-qconnect-soft">{noneRuns(trans)}</p>}
      <Rows sessions={running} actions={actions} trans={trans} />
      {ended.length > 0 && (
        <details
          className="jp-qconnect-ended"
          open={showEnded}
          onToggle={event => setShowEnded(event.currentTarget.open)}
        >
          <summary>{trans.__('Ended (%1)', ended.length)}</summary>
          <Rows sessions={ended} actions={actions} trans={trans} />
        </details>
      )}
    </>
  );
}

function noneRuns(trans: ITrans): string {
  return trans.__('None is running. Start a program below: it opens in a tab of its own.');
}

/** Calls `changed` for each session that is in another state than when the list was drawn before. */
function useChanges(sessions: readonly ISession[], changed: (session: ISession) => void): void {
  const before = useRef(new Map<string, SessionState>());
  useEffect(() => {
    for (const session of sessions) {
      const state = before.current.get(session.id);
      if (state !== undefined && state !== session.state) {
        changed(session);
      }
    }
    before.current = new Map(sessions.map(({ id, state }) => [id, state]));
  });
}

interface IRowsProps {
  sessions: readonly ISession[];
  actions: ISessionActions;
  trans: ITrans;
}

/** A list of sessions; none at all when there is no session, as a list without items is none. */
function Rows({ sessions, actions, trans }: IRowsProps): ReactElement | null {
  return sessions.length ? (
    <ul className="jp-qconnect-sessions">
      {sessions.map(session => (
        <Row key={session.id} session={session} actions={actions} trans={trans} />
      ))}
    </ul>
  ) : null;
}

interface IRowProps {
  session: ISession;
  actions: ISessionActions;
  trans: ITrans;
}

function Row({ session, actions, trans }: IRowProps): ReactElement {
  const { id, state } = session;
  const { word, meaning } = stateWords(state, trans);
  const reason = [staleWords(session.stale_since, trans), session.reason ?? ''].filter(Boolean).join(' ');
  return (
    <li className="jp-qconnect-session" data-job={id} data-state={state}>
      <div className="jp-qconnect-session-words">
        <p className="jp-qconnect-session-head">
          <Title session={session} open={actions.open} />
          <span className="jp-qconnect-state" title={meaning}>
            {word}
          </span>
          <span className="jp-qconnect-soft">{facts(session, trans).join(' · ')}</span>
        </p>
        {reason && <p className="jp-qconnect-soft">{reason}</p>}
      </div>
      <Buttons session={session} actions={actions} trans={trans} />
    </li>
  );
}

function Title({ session, open }: { session: ISession; open: ISessionActions['open'] }): ReactElement {
  const follow = (event: MouseEvent): void => {
    if (open && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open(session);
    }
  };
  return (
    <a
      className="jp-qconnect-session-title"
      href={session.url}
      target="_blank"
      rel="noopener"
      onClick={follow}
    >
      {session.title}
    </a>
  );
}

function Buttons({ session, actions, trans }: IRowProps): ReactElement {
  const { title, id, state } = session;
  const over = isFinal(state);
  const button = (
    word: string,
    label: string,
    act: (session: ISession) => void,
    className?: string,
  ): ReactElement => (
    <button type="button" className={className} aria-label={label} onClick={() => act(session)}>
      {word}
    </button>
  );
  return (
    <div className="jp-qconnect-actions">
      {button(trans.__('Log'), trans.__('Log of %1 %2', title, id), actions.log)}
      {!over &&
        state !== 'ENDING' &&
        button(trans.__('End'), trans.__('End %1 %2', title, id), actions.end, 'jp-mod-danger')}
      {over && <AgainButtons {...{ session, actions, trans }} />}
      {over && button(trans.__('Remove'), trans.__('Remove %1 %2', title, id), actions.forget)}
    </div>
  );
}

/** Starts what has ended once more, as it was or with changes; nothing where its program is not there any more. */
function AgainButtons({ session, actions, trans }: IRowProps): ReactElement | null {
  const { title, id } = session;
  return actions.startable(session) ? (
    <>
      <button
        type="button"
        aria-label={trans.__('Start %1 %2 again', title, id)}
        onClick={() => actions.again(session)}
      >
        {trans.__('Start again')}
      </button>
      <button
        type="button"
        aria-label={trans.__('Start %1 %2 again with changes…', title, id)}
        onClick={() => actions.change(session)}
      >
        {trans.__('Start again with changes…')}
      </button>
    </>
  ) : null;
}

/** What helps to tell sessions apart: the app of one that was named, its job, its node, how long it may still run. */
function facts(session: ISession, trans: ITrans): string[] {
  const { app, id, job, name, state, walltime_left: left } = session;
  const node = job.node !== null && !isFinal(state) ? [job.node] : [];
  const rest = left === null ? [] : [trans.__('%1 left', duration(left, trans))];
  return [...(name === app ? [] : [app]), id, ...node, ...rest];
}
