/** What the user is asked and shown in a window of its own: the frame of all of them, ending a session, its log. */
import { useEffect, useId, useRef, useState, type ReactElement, type ReactNode } from 'react';

import type { ISession } from '../core/models';
import { explain } from '../core/text';
import type { ITrans } from '../core/trans';

/** What every dialog is given. */
export interface IDialogProps {
  title: string;
  /** Called once it is closed, however that came about. */
  onClose: () => void;
  wide?: boolean;
  children: ReactNode;
}

/** The attribute of the element that has the keyboard first. */
export const FIRST = { 'data-first': true };

/** The browser's own dialog: over everything, closed by Escape, and the keyboard goes back to where it was. */
export function Dialog({ title, onClose, wide, children }: IDialogProps): ReactElement {
  const frame = useRef<HTMLDialogElement>(null);
  const label = useId();
  useEffect(() => {
    frame.current?.showModal();
    frame.current?.querySelector<HTMLElement>('[data-first]')?.focus();
  }, []);
  return (
    <dialog
      ref={frame}
      className={`jp-qconnect jp-qconnect-dialog${wide ? ' jp-mod-wide' : ''}`}
      aria-labelledby={label}
      onClose={onClose}
    >
      <h2 id={label}>{title}</h2>
      {children}
    </dialog>
  );
}

/** What the dialogs about a session are given. */
export interface ISessionDialogProps {
  session: ISession;
  onClose: () => void;
  trans: ITrans;
}

/** Asks before a program is ended, and ends it; stays open with the reason when that fails. */
export function EndDialog(props: ISessionDialogProps & { end: () => Promise<void> }): ReactElement {
  const { session, onClose, trans } = props;
  const { busy, problem, run } = useDeed(props.end, onClose, trans);
  return (
    <Dialog title={trans.__('End %1 %2?', session.title, session.id)} onClose={onClose}>
      <p>{warning(trans)}</p>
      <p className="jp-qconnect-problem" role="alert">
        {problem}
      </p>
      <p className="jp-qconnect-actions">
        <button type="button" {...FIRST} onClick={onClose}>
          {trans.__('Keep it running')}
        </button>
        <button type="button" className="jp-mod-danger" disabled={busy} onClick={run}>
          {trans.__('End session')}
        </button>
      </p>
    </Dialog>
  );
}

function warning(trans: ITrans): string {
  return trans.__(
    'The program and everything started in it are stopped, and what was not saved is lost. To come back later, just close the tab instead.',
  );
}

interface IDeed {
  busy: boolean;
  problem: string;
  run: () => void;
}

/** Something that is done once at a time, and says why it was not done. */
function useDeed(deed: () => Promise<void>, done: () => void, trans: ITrans): IDeed {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const run = (): void => {
    setBusy(true);
    deed().then(done, (error: unknown) => {
      setProblem(explain(error, trans));
      setBusy(false);
    });
  };
  return { busy, problem, run };
}

/** Shows the ends of a session's logs, the newest lines in sight. */
export function LogDialog(props: ISessionDialogProps & { load: () => Promise<string> }): ReactElement {
  const { session, onClose, trans } = props;
  const text = useLog(props.load, trans);
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [text]);
  return (
    <Dialog title={trans.__('Log of %1 %2', session.title, session.id)} onClose={onClose} wide>
      <pre ref={box} className="jp-qconnect-log" tabIndex={0}>
        {text}
      </pre>
      <p className="jp-qconnect-actions">
        <button type="button" {...FIRST} onClick={onClose}>
          {trans.__('Close')}
        </button>
      </p>
    </Dialog>
  );
}

/** The log of the moment in which it is asked for, or what is to be read in its place. */
function useLog(load: () => Promise<string>, trans: ITrans): string {
  const [text, setText] = useState(trans.__('Loading…'));
  useEffect(() => {
    load().then(
      log => setText(log.trim() || trans.__('The session wrote no log.')),
      (error: unknown) => setText(explain(error, trans)),
    );
  }, []);
  return text;
}
