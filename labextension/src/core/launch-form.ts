/**
 * The launch form as values: what was typed, and what that means by the app's schema and rules and the queues' limits.
 *
 * The server checks all of it again; here it is known while somebody types.
 */
import { tightest, type IMoment } from './form-limits';
import { choicesOf, kindOf, same, textOf, valueOf, type FieldKind } from './form-values';
import type { IFormField, ILaunchForm, ILimit, ISpecRequest, IValue } from './models';
import { amountOf, carryOut, type IOutcome } from './rules';

/** What was typed or chosen, by field; what was not touched holds its default. */
export type Typed = Readonly<Record<string, string | boolean>>;

/** One field as it is to be shown. */
export interface IShownField {
  name: string;
  /** One of the app's own questions. */
  own: boolean;
  kind: FieldKind;
  schema: IFormField;
  typed: string | boolean;
  /** What it can be chosen from; values that may not be chosen now are in `closed`. */
  choices: readonly string[] | null;
  closed: readonly string[];
  required: boolean;
  /** Why it cannot be changed. */
  fixed: 'rule' | 'queue' | 'ignored' | null;
  least: ILimit | null;
  most: ILimit | null;
  problem: 'none' | 'empty' | 'unreadable' | 'less' | 'more';
  /** The amount in its one form, where that differs from what was typed. */
  normal: string;
}

/** All of the form. */
export interface IShownForm {
  fields: readonly IShownField[];
  /** What is to be asked for: what differs from the app's defaults. */
  spec: ISpecRequest;
  ready: boolean;
  /** The queue that the job goes to. */
  queue: string | null;
  outcome: IOutcome;
}

/** What is known of an app before its live form is there. */
export function withoutLive(form: ILaunchForm['form']): ILaunchForm {
  return {
    form,
    queues: [],
    default_queue: null,
    limits: [],
    choices: {},
    ignored: [],
    problems: {},
    last: null,
    saved: [],
    folder: '',
  };
}

/** What was typed so that it means these settings. */
export function typedOf(spec: ISpecRequest): Typed {
  const { fields, ...rest } = spec;
  const all = Object.entries({ ...rest, ...fields });
  return Object.fromEntries(all.map(([name, value]) => [name, textOf(value ?? null)]));
}

/** The form as it is to be shown. */
export function showForm(live: ILaunchForm, typed: Typed): IShownForm {
  const declared = declaredFields(live);
  const own = Object.fromEntries(declared.map(([name, schema]) => [name, schema.default ?? null]));
  const isOwn = new Set(Object.keys(live.form.properties.fields?.properties ?? {}));
  const unasked = Object.fromEntries(
    declared.map(([name]) => [name, isOwn.has(name) ? null : (own[name] ?? null)]),
  );
  const values = Object.fromEntries(
    declared.map(([name, schema]) => [
      name,
      valueOf(kindOf(live, name, schema), typed[name], own[name] ?? null) ?? null,
    ]),
  );
  const queue = (values['queue'] ?? live.default_queue) as string | null;
  const outcome = carryOut(live.form['x-rules'], { ...values, queue }, unasked);
  const chosen = (outcome.values['queue'] ?? null) as string | null;
  const nodes = amountOf('nodes', outcome.values['nodes'] ?? null) ?? 1;
  const fields = declared
    .filter(([name]) => !outcome.hidden.includes(name) && shows(live, name))
    .map(([name, schema]) =>
      fieldOf({ live, outcome, queue: chosen, nodes, typed }, name, schema, isOwn.has(name)),
    );
  return {
    fields,
    spec: specOf(fields, own),
    ready: fields.every(({ problem }) => problem === 'none'),
    queue: chosen,
    outcome,
  };
}

/** All fields in their order; the app's own come after the batch system's. */
function declaredFields({ form }: ILaunchForm): [string, IFormField][] {
  const { fields, ...rest } = form.properties;
  return [...Object.entries(rest), ...Object.entries(fields?.properties ?? {})];
}

/** A type of GPU can be chosen where one is known. */
function shows(live: ILaunchForm, name: string): boolean {
  return name !== 'gpu_type' || Boolean(live.choices['gpu_type']?.length);
}

type Fixed = IShownField['fixed'];

/** What cannot be left empty beside what the app says so of. */
const NEEDED = ['cores', 'nodes', 'gpus', 'walltime', 'name'];

function fieldOf(
  moment: IMoment & { typed: Typed },
  name: string,
  schema: IFormField,
  own: boolean,
): IShownField {
  const { live } = moment;
  const kind = kindOf(live, name, schema);
  const [least, most] = [tightest(moment, name, schema, 'min'), tightest(moment, name, schema, 'max')];
  const fixed = fixedBy(moment, name, most);
  const given = givenTo(moment, name, fixed);
  const value = fixed === 'queue' ? 0 : valueOf(kind, given, schema.default ?? null);
  const required = schema['x-required'] === true || NEEDED.includes(name);
  return {
    ...{ name, own, kind, schema, required, fixed, least, most },
    typed: kind === 'checkbox' ? value === true : (given ?? textOf(value ?? null)),
    choices: choicesOf(live, name, schema),
    closed: name === 'queue' ? live.queues.filter(({ enabled }) => !enabled).map(queue => queue.name) : [],
    problem: fixed ? 'none' : problemOf(name, value, required, least, most),
    normal: given !== undefined && given !== value && schema.format ? textOf(value ?? null).toString() : '',
  };
}

/** Why a field cannot be changed. */
function fixedBy({ live, outcome }: IMoment, name: string, most: ILimit | null): Fixed {
  if (name in outcome.fixed) {
    return 'rule';
  }
  const none = name === 'gpus' && most?.max === 0 ? 'queue' : null;
  return live.ignored.includes(name) ? 'ignored' : none;
}

/** What a field was given: by a rule, else by whoever typed it, unless it cannot be changed. */
function givenTo(
  { outcome, typed }: IMoment & { typed: Typed },
  name: string,
  fixed: Fixed,
): string | boolean | undefined {
  return fixed === 'rule' ? textOf(outcome.fixed[name] ?? null) : fixed ? undefined : typed[name];
}

function problemOf(
  name: string,
  value: IValue | undefined,
  needed: boolean,
  least: ILimit | null,
  most: ILimit | null,
): IShownField['problem'] {
  if (value === undefined) {
    return 'unreadable';
  }
  if (value === null || value === '') {
    return needed ? 'empty' : 'none';
  }
  const amount = amountOf(name, value);
  const beyond = (limit: IValue | undefined, sign: number): boolean =>
    amount !== null &&
    limit !== undefined &&
    limit !== null &&
    sign * (amount - (amountOf(name, limit) ?? amount)) > 0;
  return beyond(least?.min, -1) ? 'less' : beyond(most?.max, 1) ? 'more' : 'none';
}

/** What differs from the app's defaults. */
function specOf(fields: readonly IShownField[], own: Readonly<Record<string, IValue>>): ISpecRequest {
  const spec: Record<string, IValue> = {};
  const answers: Record<string, IValue> = {};
  for (const { name, own: isOwn, kind, typed, fixed } of fields) {
    const value = fixed === 'queue' ? 0 : valueOf(kind, typed, null);
    if (
      !fixed &&
      value !== undefined &&
      !same(value, own[name] ?? null) &&
      !(name === 'memory' && value === null)
    ) {
      (isOwn ? answers : spec)[name] = value;
    }
  }
  return { ...spec, ...(Object.keys(answers).length && { fields: answers }) };
}
