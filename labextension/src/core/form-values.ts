/** What is typed into a field of the launch form, as the value that is asked for. */
import { memoryOf, memoryText, walltimeOf, walltimeText } from './amounts';
import type { IFormField, ILaunchForm, IValue } from './models';

export type FieldKind = 'text' | 'lines' | 'number' | 'memory' | 'walltime' | 'choice' | 'checkbox' | 'path';

/** A value as it can be typed. */
export function textOf(value: IValue): string | boolean {
  if (typeof value === 'boolean') {
    return value;
  }
  return value === null ? '' : Array.isArray(value) ? value.join('\n') : String(value);
}

/** How a field is asked. */
export function kindOf(live: ILaunchForm, name: string, schema: IFormField): FieldKind {
  const asked = schema['x-kind'];
  if (choicesOf(live, name, schema)) {
    return 'choice';
  }
  if (schema.format ?? (name === 'native' ? 'lines' : undefined)) {
    return schema.format ?? 'lines';
  }
  const number = schema.type === 'integer' || asked === 'number';
  return number ? 'number' : asked === 'checkbox' || asked === 'path' ? asked : 'text';
}

/** What a field can be chosen from; null where anything can be typed. */
export function choicesOf(live: ILaunchForm, name: string, schema: IFormField): string[] | null {
  const listed =
    schema.enum ?? live.choices[name] ?? (name === 'queue' ? live.queues.map(queue => queue.name) : []);
  return listed.length ? listed.filter(value => value !== null) : null;
}

/** What was typed as a value; undefined for what cannot be read. */
export function valueOf(
  kind: FieldKind,
  typed: string | boolean | undefined,
  own: IValue,
): IValue | undefined {
  if (typed === undefined) {
    return own;
  }
  if (typeof typed === 'boolean') {
    return typed;
  }
  const text = typed.trim();
  switch (kind) {
    case 'lines':
      return text ? text.split(/\s*\n\s*/) : [];
    case 'number':
      return numberOf(text);
    case 'memory':
      return normal(text, memoryOf, memoryText);
    case 'walltime':
      return normal(text, walltimeOf, walltimeText);
    case 'checkbox':
      return text === 'true';
    default:
      return text === '' ? null : kind === 'text' ? typed : text;
  }
}

function numberOf(text: string): number | null | undefined {
  const number = /^[+-]?\d+([.,]\d+)?$/.test(text) ? Number(text.replace(',', '.')) : undefined;
  return text === '' ? null : number;
}

function normal(
  text: string,
  read: (text: string) => number | null,
  write: (amount: number) => string,
): string | null | undefined {
  const amount = read(text);
  return text === '' ? null : amount === null ? undefined : write(amount);
}

/** Whether two values ask for the same. */
export function same(one: IValue, other: IValue): boolean {
  const empty = (value: IValue): boolean => value === null || value === false || value === '';
  return JSON.stringify(one) === JSON.stringify(other) || (empty(one) && empty(other));
}
