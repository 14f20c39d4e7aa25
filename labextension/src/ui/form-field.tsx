/** One field of the launch form: its label, what is typed or chosen, what explains it, what is wrong. */
import { useId, type ReactElement } from 'react';

import type { IShownField } from '../core/launch-form';
import type { IApp } from '../core/models';
import type { IServer } from '../core/request';
import type { ITrans } from '../core/trans';
import { FIRST } from './dialogs';
import { complaint, help, nothingChosen, title, type IAbout } from './field-words';
import { PathPicker } from './path-picker';
import type { ILaunchFormState } from './use-launch-form';

/** What a field is given. */
export interface IFormFieldProps {
  field: IShownField;
  state: ILaunchFormState;
  app: IApp;
  server: IServer;
  trans: ITrans;
}

/** The field; what explains it is read with it. */
export function FormField({ field, state, app, server, trans }: IFormFieldProps): ReactElement {
  const id = useId();
  const { name, kind } = field;
  const about: IAbout = { field, live: state.live, queue: state.shown.queue, app, trans };
  const silent = field.problem === 'empty' && !state.tried;
  const problem = state.wrong[name] ?? (silent ? '' : complaint(about));
  const type = (value: string | boolean): void => state.type(name, value);
  const wide = kind === 'lines' || kind === 'path';
  const first = name === 'name' && !app.takes_command;
  return (
    <div className={`jp-qconnect-field${wide ? ' jp-mod-wide' : ''}`} data-field={name} data-kind={kind}>
      <label htmlFor={id}>{title(about)}</label>
      <Entry {...{ about, id, type, first }} wrong={Boolean(problem)} />
      {kind === 'path' && (
        <PathPicker {...{ server, trans }} title={title(about)} folder={state.live.folder} onPick={type} />
      )}
      <p id={`${id}-help`} className="jp-qconnect-soft">
        {help(about)}
      </p>
      <p id={`${id}-problem`} className="jp-qconnect-problem" role="alert">
        {problem}
      </p>
    </div>
  );
}

interface IEntryProps {
  about: IAbout;
  id: string;
  type: (value: string | boolean) => void;
  wrong: boolean;
  first: boolean;
}

/** What is typed in, or chosen from. */
function Entry({ about, id, type, wrong, first }: IEntryProps): ReactElement {
  const { kind, typed, fixed } = about.field;
  const shared = {
    id,
    ...(first ? FIRST : {}),
    disabled: fixed !== null,
    'aria-describedby': `${id}-help ${id}-problem`,
    'aria-invalid': wrong || undefined,
  };
  if (kind === 'checkbox') {
    const checked = typed === true;
    return <input {...shared} type="checkbox" checked={checked} onChange={() => type(!checked)} />;
  }
  const text = { value: String(typed), onChange: (event: IChange): void => type(event.target.value) };
  if (kind === 'lines') {
    return <textarea {...shared} {...text} rows={2} spellCheck={false} />;
  }
  return kind === 'choice' ? (
    <select {...shared} {...text}>
      <Choices about={about} />
    </select>
  ) : (
    <input {...shared} {...text} {...PLAIN} />
  );
}

interface IChange {
  target: { value: string };
}

/** What is typed is no prose. */
const PLAIN = { autoComplete: 'off', autoCapitalize: 'off', spellCheck: false };

/** What there is, and what was asked for before even if it is not there any more: the server says what is wrong. */
function Choices({ about }: { about: IAbout }): ReactElement {
  const { choices, closed, required, typed } = about.field;
  const text = String(typed);
  const all = [...new Set([...(choices ?? []), ...(text ? [text] : [])])];
  return (
    <>
      {(!required || text === '') && <option value="">{nothingChosen(about)}</option>}
      {all.map(choice => (
        <option key={choice} value={choice} disabled={closed.includes(choice)}>
          {choice}
        </option>
      ))}
    </>
  );
}
