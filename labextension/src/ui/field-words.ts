/** The words around a field: what it is called, its limits and whose they are, what is wrong with it. */
import type { IShownField } from '../core/launch-form';
import type { IApp, ILaunchForm, ILimit } from '../core/models';
import type { ITrans } from '../core/trans';

/** What words are about. */
export interface IAbout {
  field: IShownField;
  live: ILaunchForm;
  /** The queue that the job goes to. */
  queue: string | null;
  app: IApp;
  trans: ITrans;
}

const TITLES: Record<string, (trans: ITrans) => string> = {
  name: trans => trans.__('Name'),
  queue: trans => trans.__('Queue'),
  cores: trans => trans.__('Cores'),
  memory: trans => trans.__('Memory'),
  walltime: trans => trans.__('Walltime'),
  gpus: trans => trans.__('GPUs'),
  gpu_type: trans => trans.__('GPU type'),
  account: trans => trans.__('Account'),
  nodes: trans => trans.__('Nodes'),
  mail: trans => trans.__('E-mail'),
  native: trans => trans.__('Native options'),
};

const PURPOSES: Record<string, (trans: ITrans) => string> = {
  memory: trans => trans.__('An amount, like 4, 4g or 512 MB'),
  walltime: trans => trans.__('A time, like 2h, 90 min or 1-00:00:00'),
  gpus: trans => trans.__('On each node'),
  account: trans => trans.__('What the job is charged to; empty: your usual one'),
  nodes: trans => trans.__('The program runs on the first'),
  mail: trans => trans.__('Sent by the batch system'),
  native: trans => trans.__('Options of the batch system, one a line'),
};

/** What a field is called; the app's own as its file says. */
export function title({ field, trans }: Pick<IAbout, 'field' | 'trans'>): string {
  return (field.own ? undefined : TITLES[field.name]?.(trans)) ?? field.schema.title;
}

/** What explains a field: why it cannot be changed, else its limit and whose that is, else what it is for. */
export function help(about: IAbout): string {
  const { field, live, queue, trans } = about;
  const { name, fixed, least, most, normal } = field;
  if (fixed === 'queue') {
    return trans.__('The queue %1 has none.', queue ?? '');
  }
  if (fixed) {
    return fixed === 'rule'
      ? trans.__('Set by another choice.')
      : trans.__('This batch system knows nothing of it.');
  }
  const limits = [
    ...(least ? [trans.__('%1 or more (%2)', String(least.min), source(least, about))] : []),
    ...(most ? [trans.__('up to %1 (%2)', String(most.max), source(most, about))] : []),
  ];
  const purpose = field.own ? field.schema.description : PURPOSES[name]?.(trans);
  const problem = name === 'queue' ? undefined : live.problems[name];
  const said = problem ? [problem] : limits.length ? limits : purpose ? [purpose] : [];
  return [...(normal ? [trans.__('= %1', normal)] : []), ...said].join(', ');
}

/** Whose limit it is. */
function source(limit: ILimit, { app, trans }: IAbout): string {
  if (limit.source === 'queue') {
    return trans.__('queue %1', limit.queue ?? '');
  }
  return limit.source === 'site' ? trans.__('this site') : app.title;
}

/** What is wrong with what was typed; empty where nothing is. */
export function complaint(about: IAbout): string {
  const { field, trans } = about;
  const { problem, least, most } = field;
  if (problem === 'less' && least) {
    return trans.__('Ask for %1 or more: %2.', String(least.min), source(least, about));
  }
  if (problem === 'more' && most) {
    return trans.__('Ask for %1 or less: %2.', String(most.max), source(most, about));
  }
  if (problem === 'empty') {
    return trans.__('Fill this in.');
  }
  return problem === 'unreadable' ? unreadable(field, trans) : '';
}

function unreadable({ schema }: IShownField, trans: ITrans): string {
  if (schema.format === undefined) {
    return trans.__('Write a number, like 4.');
  }
  return schema.format === 'memory'
    ? trans.__('Write an amount, like 4, 4g or 512 MB.')
    : trans.__('Write a time, like 2h, 90 min or 1-00:00:00.');
}

/** What stands in the place of a choice that was not made. */
export function nothingChosen({ field, live, trans }: IAbout): string {
  if (field.name === 'queue') {
    return live.default_queue ? trans.__('%1 (default)', live.default_queue) : trans.__('the usual one');
  }
  return field.name === 'mail' ? trans.__('never') : trans.__('any');
}
