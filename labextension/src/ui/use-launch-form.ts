/** What the launch form remembers while it is filled in. */
import { useEffect, useRef, useState } from 'react';

import { getForm, previewScript, removeSettings, saveSettings } from '../core/api';
import { argvOf, lineOf } from '../core/argv';
import { showForm, typedOf, withoutLive, type IShownForm, type Typed } from '../core/launch-form';
import type { IApp, ILaunchForm, ISettings, IStartRequest } from '../core/models';
import { ResponseError, type IServer } from '../core/request';
import { explain } from '../core/text';
import type { ITrans } from '../core/trans';

/** What the form begins with: settings, and what a server said is wrong with them. */
export interface IBeginning {
  spec?: ISettings['spec'];
  command?: string[] | null;
  error?: unknown;
}

/** What the memory of the form needs. */
export interface ILaunchFormOptions {
  app: IApp;
  server: IServer;
  /** Without it, the form begins with what was asked for the last time. */
  beginning?: IBeginning | undefined;
  /**
   * Called with the request in the very click (or key) that submits the form: a tab may be opened in it. Rejects with
   * the reason when nothing was started.
   */
  onStart: (request: IStartRequest) => Promise<void>;
  onClose: () => void;
  /** Called when something was saved, or is no longer. */
  onSaved: () => void;
  trans: ITrans;
}

/** What the form shows and calls. */
export interface ILaunchFormState {
  shown: IShownForm;
  live: ILaunchForm;
  line: string;
  setLine: (line: string) => void;
  type: (name: string, value: string | boolean) => void;
  take: (settings: ISettings | null) => void;
  busy: boolean;
  /** What is wrong with the whole, and with which field, as the server says. */
  problem: string;
  wrong: Readonly<Record<string, string>>;
  /** Whether the user has tried to start: until then nothing that is merely empty is called wrong. */
  tried: boolean;
  submit: () => void;
  script: string;
  preview: () => void;
  save: (name: string) => void;
  remove: (id: string) => void;
  /** What is said aloud. */
  words: string;
}

/** The memory of one launch form. */
export function useLaunchForm(options: ILaunchFormOptions): ILaunchFormState {
  const { app, onStart, onClose, trans } = options;
  const [tried, setTried] = useState(false);
  const deed = useDeed(trans, options.beginning?.error);
  const { typed, line, setLine, live, refresh, ...entry } = useEntries(options);
  const shown = showForm(live, typed);
  const command = (): Pick<IStartRequest, 'command'> => (app.takes_command ? { command: argvOf(line) } : {});
  const asked = (): IStartRequest => ({ app: app.name, spec: shown.spec, ...command() });
  const { script, setScript, ...kept } = useKept(options, deed, asked, refresh);
  return {
    ...{ shown, live, line, setLine, tried, script, ...deed, ...kept },
    take: settings => {
      entry.take(settings);
      deed.clear();
    },
    submit: () => {
      setTried(true);
      if (shown.ready) {
        deed.run(() => onStart({ ...asked(), remember: true }), onClose);
      }
    },
    type: (name, value) => {
      entry.type(name, value);
      deed.clear(name);
      setScript('');
    },
  };
}

interface IEntries {
  typed: Typed;
  line: string;
  setLine: (line: string) => void;
  type: (name: string, value: string | boolean) => void;
  take: (settings: ISettings | null) => void;
  live: ILaunchForm;
  refresh: () => void;
}

/** What is typed; it begins with what is given, else with what was asked for the last time. */
function useEntries(options: ILaunchFormOptions): IEntries {
  const { beginning } = options;
  const [typed, setTyped] = useState<Typed>(typedOf(beginning?.spec ?? {}));
  const [line, setLine] = useState(lineOf(beginning?.command));
  const { form: live, refresh } = useLive(options, ({ last }) => {
    if (!beginning?.spec && last) {
      setTyped(known => ({ ...typedOf(last.spec), ...known }));
      setLine(known => known || lineOf(last.command));
    }
  });
  const take = (settings: ISettings | null): void => {
    setTyped(typedOf(settings?.spec ?? {}));
    setLine(lineOf(settings?.command));
  };
  const type = (name: string, value: string | boolean): void =>
    setTyped(known => ({ ...known, [name]: value }));
  return { typed, line, setLine, type, take, live, refresh };
}

interface IKept extends Pick<ILaunchFormState, 'script' | 'preview' | 'save' | 'remove' | 'words'> {
  setScript: (script: string) => void;
}

/** What can be done with a filled form beside starting it. */
function useKept(
  { app, server, trans, onSaved }: ILaunchFormOptions,
  { run }: IDeed,
  asked: () => IStartRequest,
  refresh: () => void,
): IKept {
  const [script, setScript] = useState('');
  const [words, setWords] = useState('');
  const kept = (): void => {
    onSaved();
    refresh();
  };
  const save = async (name: string): Promise<void> => {
    await saveSettings(server, name, asked());
    setWords(trans.__('Saved as %1', name));
  };
  return {
    ...{ script, setScript, words },
    preview: () =>
      run(
        async () => setScript(await previewScript(server, asked())),
        () => undefined,
      ),
    save: name => run(() => save(name), kept),
    remove: id => run(() => removeSettings(server, app.name, id), kept),
  };
}

/** The live form; until it is there, what the catalogue told of the app. */
function useLive(
  { app, server }: ILaunchFormOptions,
  heard: (form: ILaunchForm) => void,
): { form: ILaunchForm; refresh: () => void } {
  const [form, setForm] = useState(() => ({ ...withoutLive(app.form), saved: app.saved }));
  const open = useRef(true);
  const load = async (first: boolean): Promise<void> => {
    const found = await getForm(server, app.name);
    if (open.current) {
      setForm(found);
      if (first) {
        heard(found);
      }
    }
  };
  useEffect(() => {
    load(true).catch(() => undefined); // the form works without, and a start says what is wrong
    return () => {
      open.current = false;
    };
  }, []);
  return { form, refresh: () => void load(false).catch(() => undefined) };
}

interface IDeed {
  busy: boolean;
  problem: string;
  wrong: Readonly<Record<string, string>>;
  run: (deed: () => Promise<void>, done: () => void) => void;
  /** Forgets what was wrong, or what was wrong with one field. */
  clear: (name?: string) => void;
}

/** Something that is done once at a time; what goes wrong stands at the fields that it is about, else by itself. */
function useDeed(trans: ITrans, before: unknown): IDeed {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState(() => told(before, trans));
  const end = (error?: unknown): void => {
    setWrong(told(error, trans));
    setBusy(false);
  };
  const run = (deed: () => Promise<void>, done: () => void): void => {
    if (busy) {
      return;
    }
    let running: Promise<void>;
    try {
      running = deed(); // in the very click
    } catch (error) {
      end(error);
      return;
    }
    setBusy(true);
    running.then(() => {
      end();
      done();
    }, end);
  };
  const clear = (name?: string): void => setWrong(known => without(known, name));
  return { busy, problem: wrong.problem, wrong: wrong.fields, run, clear };
}

interface IWrong {
  problem: string;
  fields: Readonly<Record<string, string>>;
}

/** What an error says: of fields, or of the whole. */
function told(error: unknown, trans: ITrans): IWrong {
  const fields = error instanceof ResponseError ? error.fields : {};
  const problem = error === undefined || Object.keys(fields).length ? '' : complaint(error, trans);
  return { problem, fields };
}

/** What is wrong but for one field, or nothing. */
function without({ problem, fields }: IWrong, name: string | undefined): IWrong {
  const left = Object.entries(fields).filter(([key]) => key !== name);
  return name === undefined ? { problem: '', fields: {} } : { problem, fields: Object.fromEntries(left) };
}

function complaint(error: unknown, trans: ITrans): string {
  if (!(error instanceof RangeError)) {
    return explain(error, trans);
  }
  return error.message === 'open-quote'
    ? trans.__('A quotation mark is left open. Close it.')
    : trans.__('Write the command to start.');
}
