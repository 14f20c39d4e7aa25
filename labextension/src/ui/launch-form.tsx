/** The launch form: what a program is started with, in a dialog named after it. */
import { useId, useState, type ReactElement, type SyntheticEvent } from 'react';

import type { IShownField } from '../core/launch-form';
import type { ISettings } from '../core/models';
import type { ITrans } from '../core/trans';
import { Dialog, FIRST } from './dialogs';
import { FormField } from './form-field';
import { useLaunchForm, type ILaunchFormOptions, type ILaunchFormState } from './use-launch-form';

/** Fields that few people need; they are folded away as long as nobody has asked for them. */
const SELDOM = new Set(['nodes', 'mail', 'native', 'gpu_type']);

/** The form; it stays open, with what is wrong at its fields, until something was started. */
export function LaunchForm(props: ILaunchFormOptions): ReactElement {
  const { app, onClose, trans } = props;
  const state = useLaunchForm(props);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    state.submit();
  };
  return (
    <Dialog title={app.title} onClose={onClose}>
      <Saved state={state} trans={trans} />
      <form className="jp-qconnect-form" onSubmit={submit} noValidate>
        {app.takes_command && <CommandField state={state} trans={trans} />}
        <Fields {...props} state={state} />
        <Ends state={state} onClose={onClose} trans={trans} />
      </form>
      <Save state={state} trans={trans} />
      {state.script && (
        <pre className="jp-qconnect-log" tabIndex={0} aria-label={trans.__('Script')} role="region">
          {state.script}
        </pre>
      )}
      <p className="jp-qconnect-unseen" role="status" aria-live="polite">
        {state.words}
      </p>
    </Dialog>
  );
}

/** The fields; those that are seldom needed are folded away. */
function Fields({
  app,
  server,
  state,
  trans,
}: ILaunchFormOptions & { state: ILaunchFormState }): ReactElement {
  const field = (one: IShownField): ReactElement => (
    <FormField key={one.name} field={one} {...{ state, app, server, trans }} />
  );
  const { fields } = state.shown;
  const seldom = fields.filter(({ name }) => SELDOM.has(name));
  return (
    <>
      {fields.filter(({ name }) => !SELDOM.has(name)).map(field)}
      {seldom.length > 0 && (
        <details open={seldom.some(({ name }) => state.wrong[name]) || undefined}>
          <summary>{trans.__('More')}</summary>
          <div className="jp-qconnect-form">{seldom.map(field)}</div>
        </details>
      )}
    </>
  );
}

/** What is wrong with the whole, or with what is not shown, and the buttons. */
function Ends({ state, onClose, trans }: IPartProps & { onClose: () => void }): ReactElement {
  const shown = new Set(state.shown.fields.map(({ name }) => name));
  const elsewhere = Object.keys(state.wrong).flatMap(name => (shown.has(name) ? [] : [state.wrong[name]]));
  const untold = state.live.problems['queue'];
  return (
    <>
      {untold && <p className="jp-qconnect-soft">{untold}</p>}
      <p className="jp-qconnect-problem" role="alert">
        {[state.problem, ...elsewhere].filter(Boolean).join(' ')}
      </p>
      <p className="jp-qconnect-actions">
        <button type="submit" className="jp-mod-accept" aria-disabled={state.busy || undefined}>
          {trans.__('Start')}
        </button>
        <button type="button" onClick={state.preview}>
          {trans.__('Show script')}
        </button>
        <button type="button" onClick={onClose}>
          {trans.__('Cancel')}
        </button>
      </p>
    </>
  );
}

interface IPartProps {
  state: ILaunchFormState;
  trans: ITrans;
}

/** What was saved by name, to be taken into the form or to be forgotten. */
function Saved({ state, trans }: IPartProps): ReactElement | null {
  const { saved, problems } = state.live;
  const problem = problems['saved'];
  return saved.length || problem ? (
    <div className="jp-qconnect-saved" role="group" aria-label={trans.__('Saved settings')}>
      {problem && <p className="jp-qconnect-problem">{problem}</p>}
      {saved.map(settings => (
        <SavedOne key={settings.id} settings={settings} state={state} trans={trans} />
      ))}
      <button type="button" onClick={() => state.take(null)}>
        {trans.__('As the site has it')}
      </button>
    </div>
  ) : null;
}

function SavedOne({ settings, state, trans }: IPartProps & { settings: ISettings }): ReactElement {
  const { id, name } = settings;
  return (
    <span className="jp-qconnect-saved-one">
      <button type="button" onClick={() => state.take(settings)}>
        {name}
      </button>
      <button
        type="button"
        aria-label={trans.__('Forget the settings %1', name)}
        onClick={() => state.remove(id)}
      >
        {trans.__('×')}
      </button>
    </span>
  );
}

/** Keeps what is filled in under a name. */
function Save({ state, trans }: IPartProps): ReactElement {
  const id = useId();
  const [name, setName] = useState('');
  const save = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (name.trim()) {
      state.save(name.trim());
      setName('');
    }
  };
  return (
    <details className="jp-qconnect-save">
      <summary>{trans.__('Save these settings')}</summary>
      <form onSubmit={save}>
        <label htmlFor={id}>{trans.__('Save as')}</label>
        <p className="jp-qconnect-actions">
          <input id={id} value={name} maxLength={100} onChange={event => setName(event.target.value)} />
          <button type="submit">{trans.__('Save')}</button>
        </p>
      </form>
    </details>
  );
}

function CommandField({ state, trans }: IPartProps): ReactElement {
  const id = useId();
  return (
    <div className="jp-qconnect-field jp-mod-wide">
      <label htmlFor={id}>{trans.__('Command, as you would type it in a terminal')}</label>
      <input
        id={id}
        {...FIRST}
        value={state.line}
        onChange={event => state.setLine(event.target.value)}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        aria-describedby={`${id}-help`}
      />
      <p id={`${id}-help`} className="jp-qconnect-soft">
        {trans.__('For example: %1', 'gimp "my picture.png", paraview ~/results/*.vtk')}
      </p>
    </div>
  );
}
