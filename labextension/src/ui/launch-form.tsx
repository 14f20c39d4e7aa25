/** What is asked before an app is started: the command, of an app that takes one. */
import { useId, useState, type ReactElement, type SyntheticEvent } from 'react';

import { argvOf } from '../core/argv';
import type { IApp } from '../core/models';
import type { ITrans } from '../core/trans';
import { Dialog, FIRST } from './dialogs';

/** What the form is given. */
export interface ILaunchFormProps {
  app: IApp;
  /** Called with the argument list in the very click (or key) that submits the form: a tab may be opened in it. */
  onStart: (command: string[]) => void;
  onClose: () => void;
  trans: ITrans;
}

/** Asks for the command; one that cannot be read stays, with what is wrong with it. */
export function LaunchForm({ app, onStart, onClose, trans }: ILaunchFormProps): ReactElement {
  const [line, setLine] = useState('');
  const [problem, setProblem] = useState('');
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    let command: string[];
    try {
      command = argvOf(line);
    } catch (error) {
      setProblem(complaint(error, trans));
      return;
    }
    onStart(command);
  };
  return (
    <Dialog title={app.title} onClose={onClose}>
      <form onSubmit={submit}>
        <CommandField value={line} onChange={setLine} problem={problem} trans={trans} />
        <p className="jp-qconnect-actions">
          <button type="submit" className="jp-mod-accept">
            {trans.__('Start')}
          </button>
          <button type="button" onClick={onClose}>
            {trans.__('Cancel')}
          </button>
        </p>
      </form>
    </Dialog>
  );
}

interface ICommandFieldProps {
  value: string;
  onChange: (line: string) => void;
  problem: string;
  trans: ITrans;
}

function CommandField({ value, onChange, problem, trans }: ICommandFieldProps): ReactElement {
  const id = useId();
  return (
    <>
      <label htmlFor={id}>{trans.__('Command, as you would type it in a terminal')}</label>
      <input
        id={id}
        {...FIRST}
        value={value}
        onChange={event => onChange(event.target.value)}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        aria-describedby={`${id}-help ${id}-problem`}
      />
      <p id={`${id}-help`} className="jp-qconnect-soft">
        {trans.__('For example: %1', 'gimp "my picture.png", paraview ~/results/*.vtk')}
      </p>
      <p id={`${id}-problem`} className="jp-qconnect-problem" role="alert">
        {problem}
      </p>
    </>
  );
}

function complaint(error: unknown, trans: ITrans): string {
  return error instanceof RangeError && error.message === 'open-quote'
    ? trans.__('A quotation mark is left open. Close it.')
    : trans.__('Write the command to start.');
}
