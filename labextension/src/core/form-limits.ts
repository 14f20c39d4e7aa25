/** The limits that count for a field: the tightest of the app, the site, the queue and the rules. */
import { memoryOf, memoryText } from './amounts';
import type { IFormField, ILaunchForm, ILimit } from './models';
import { amountOf, type IOutcome } from './rules';

/** What decides on limits: where the job goes, on how many nodes, and what the rules say. */
export interface IMoment {
  live: ILaunchForm;
  outcome: IOutcome;
  queue: string | null;
  nodes: number;
}

/** The limit that counts for a field in this queue, as so much for the whole job or for each node, as the field is. */
export function tightest(
  moment: IMoment,
  name: string,
  schema: IFormField,
  bound: 'min' | 'max',
): ILimit | null {
  const { live, outcome, queue } = moment;
  const rule = outcome.limits[name]?.[bound];
  const built = schema['x-kind'] ? (bound === 'min' ? schema.minimum : schema.maximum) : undefined;
  const known = live.limits.filter(
    limit => limit.field === name && limit[bound] !== null && (limit.queue === null || limit.queue === queue),
  );
  const all = [
    ...known.map(limit => forField(limit, bound, moment.nodes)),
    ...[rule, built]
      .filter(value => typeof value === 'number' || typeof value === 'string')
      .map(value => ({
        field: name,
        source: 'app' as const,
        min: null,
        max: null,
        queue: null,
        per: 'job' as const,
        [bound]: value,
      })),
  ];
  const sign = bound === 'min' ? -1 : 1;
  const size = (limit: ILimit): number => sign * (amountOf(name, limit[bound]) ?? Infinity);
  return all.reduce<ILimit | null>((best, limit) => (best && size(best) <= size(limit) ? best : limit), null);
}

/** Cores are those of each node, memory is that of the whole job. */
function forField(limit: ILimit, bound: 'min' | 'max', nodes: number): ILimit {
  const amount = limit[bound];
  if (
    limit.field === 'cores' &&
    limit.per === 'job' &&
    limit.source === 'queue' &&
    typeof amount === 'number'
  ) {
    return { ...limit, [bound]: Math.floor(amount / nodes) };
  }
  if (limit.field === 'memory' && limit.per === 'node' && typeof amount === 'string') {
    return { ...limit, [bound]: memoryText((memoryOf(amount) ?? 0) * nodes) };
  }
  return limit;
}
