/** What one answer of a launch form means for others, as the server's `apps/rules` (tests/cases/rules.json). */
import { memoryOf, walltimeOf } from './amounts';
import type { IFormRule, IValue } from './models';

export type Values = Readonly<Record<string, IValue>>;
export interface IBounds {
  min?: IValue;
  max?: IValue;
}

/** What the rules make of the answers; `reasons` are the rules by which a field is fixed, hidden or limited. */
export interface IOutcome {
  values: Record<string, IValue>;
  hidden: string[];
  fixed: Record<string, IValue>;
  limits: Record<string, IBounds>;
  reasons: Record<string, IFormRule>;
}

/** The rules one after the other, each on what those before it left; `unasked` is what hidden fields hold. */
export function carryOut(rules: readonly IFormRule[], values: Values, unasked: Values): IOutcome {
  const found: IOutcome = { values: { ...values }, hidden: [], fixed: {}, limits: {}, reasons: {} };
  for (const rule of rules) {
    if (Object.entries(rule.if).every(([name, wanted]) => holds(name, wanted, found.values[name] ?? null))) {
      carryOutOne(rule, found, unasked);
    }
  }
  return found;
}

function carryOutOne(rule: IFormRule, found: IOutcome, unasked: Values): void {
  const named = [
    ...(rule.hide ?? []),
    ...[rule.set, rule.min, rule.max].flatMap(part => Object.keys(part ?? {})),
  ];
  named.forEach(name => (found.reasons[name] = rule));
  Object.assign(found.fixed, rule.set);
  Object.assign(found.values, rule.set);
  for (const name of rule.hide ?? []) {
    found.values[name] = unasked[name] ?? null;
    if (!found.hidden.includes(name)) {
      found.hidden.push(name);
    }
  }
  tighten('min', rule.min, found);
  tighten('max', rule.max, found);
}

function tighten(bound: 'min' | 'max', limits: Values | undefined, found: IOutcome): void {
  for (const [name, limit] of Object.entries(limits ?? {})) {
    const known = (found.limits[name] ??= {});
    const before = known[bound];
    const sign = bound === 'min' ? 1 : -1;
    const tighter =
      before === undefined || sign * ((amountOf(name, limit) ?? 0) - (amountOf(name, before) ?? 0)) > 0;
    known[bound] = tighter ? limit : before;
  }
}

/** Whether an answer is the wanted one, or among those of a list, or between the `min` and `max` of an object. */
function holds(name: string, wanted: IFormRule['if'][string], value: IValue): boolean {
  if (Array.isArray(wanted)) {
    return wanted.some(one => holds(name, one, value));
  }
  if (typeof wanted === 'object' && wanted !== null) {
    const size = amountOf(name, value);
    const [least, most] = [wanted.min, wanted.max].map(part =>
      part === undefined ? null : amountOf(name, part),
    );
    return size !== null && size >= (least ?? -Infinity) && size <= (most ?? Infinity);
  }
  const size = typeof wanted === 'boolean' ? null : amountOf(name, value);
  return size === null ? wanted === value : size === amountOf(name, wanted);
}

/** A value as a number that can be compared; null where it is none. */
export function amountOf(name: string, value: IValue): number | null {
  if (typeof value === 'string') {
    return name === 'memory' ? memoryOf(value) : name === 'walltime' ? walltimeOf(value) : null;
  }
  return typeof value === 'number' ? value : null;
}
