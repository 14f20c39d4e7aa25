/** What was typed, as what is asked for; amounts and rules by the tables that the server is held to as well. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { memoryOf, memoryText, walltimeOf, walltimeText } from '../amounts';
import { showForm, typedOf, withoutLive, type IShownField, type Typed } from '../launch-form';
import { launchLink, linkTo, withoutLink } from '../launch-link';
import type { IFormRule, ILaunchForm, IQueue, IValue } from '../models';
import { carryOut, type IOutcome, type Values } from '../rules';
import { app, session } from './server';

interface ICase {
  name: string;
  rules: IFormRule[];
  values: Values;
  unasked?: Values;
  expect: Partial<IOutcome>;
}

function table(name: string): unknown {
  return JSON.parse(readFileSync(join(__dirname, '../../../../tests/cases', name), 'utf8'));
}

const AMOUNTS = table('amounts.json') as Record<'memory' | 'walltime', Record<string, string | null>>;

it.each(Object.entries(AMOUNTS.memory))('memory: %s', (text, normal) => {
  const size = memoryOf(text);
  expect(size === null ? null : memoryText(size)).toBe(normal);
});

it.each(Object.entries(AMOUNTS.walltime))('walltime: %s', (text, normal) => {
  const seconds = walltimeOf(text);
  expect(seconds === null ? null : walltimeText(seconds)).toBe(normal);
});

it.each((table('rules.json') as ICase[]).map(one => [one.name, one] as const))('rules: %s', (_, one) => {
  const { values, hidden, fixed, limits } = carryOut(one.rules, one.values, one.unasked ?? {});
  expect({ values, hidden, fixed, limits }).toEqual({ hidden: [], fixed: {}, limits: {}, ...one.expect });
});

const queue = (name: string, more: Partial<IQueue> = {}): IQueue => ({
  name,
  enabled: true,
  started: true,
  default: false,
  max_walltime_s: null,
  max_nodes: null,
  max_cores: null,
  max_memory: null,
  max_running: null,
  node_cores: null,
  node_memory: null,
  node_gpus: null,
  gpu_types: [],
  memory_per_core: null,
  free_cores: null,
  queued: null,
  running: null,
  ...more,
});
const limit = (field: string, max: string | number, more = {}): ILaunchForm['limits'][number] => ({
  field,
  source: 'queue',
  min: null,
  max,
  queue: 'batch',
  per: 'job',
  ...more,
});
const FORM: ILaunchForm = {
  ...withoutLive({
    ...app('tool').form,
    properties: {
      name: { title: 'Name', type: 'string', default: 'tool' },
      queue: { title: 'Queue', type: ['string', 'null'], default: null },
      cores: { title: 'Cores', type: 'integer', default: 1 },
      memory: { title: 'Memory', type: 'string', format: 'memory' },
      walltime: { title: 'Walltime', type: 'string', format: 'walltime', default: '08:00:00' },
      gpus: { title: 'GPUs', type: 'integer', default: 0 },
      gpu_type: { title: 'GPU type', type: ['string', 'null'], default: null },
      account: { title: 'Account', type: ['string', 'null'], default: null },
      nodes: { title: 'Nodes', type: 'integer', default: 1 },
      native: { title: 'Native options', type: 'array', default: [] },
      fields: {
        title: 'Tool',
        type: 'object',
        additionalProperties: false,
        properties: {
          renderer: { title: 'Renderer', enum: [null, 'mesa', 'gpu'], 'x-kind': 'choice', default: 'mesa' },
          scale: { title: 'Scale', type: ['number', 'null'], 'x-kind': 'number', minimum: 1, maximum: 4 },
          stereo: { title: 'Stereo', type: 'boolean', 'x-kind': 'checkbox' },
          version: { title: 'Version', 'x-kind': 'module', 'x-required': true },
        },
      },
    },
    'x-rules': [
      { if: { renderer: 'gpu' }, set: { gpus: 1 }, hide: ['stereo'] },
      { if: { queue: 'long' }, max: { cores: 2 } },
    ],
  }),
  queues: [queue('batch', { default: true }), queue('long'), queue('shut', { enabled: false })],
  default_queue: 'batch',
  limits: [
    limit('cores', 8, { per: 'node' }),
    limit('cores', 12),
    limit('memory', '16GB', { per: 'node' }),
    limit('walltime', '12:00:00'),
    limit('walltime', '96:00:00', { queue: 'long' }),
    limit('gpus', 0, { queue: 'long', per: 'node' }),
    limit('cores', 64, { source: 'site', queue: null }),
  ],
  choices: { version: ['5.11', '5.10'] },
};

const field = (name: string, typed: Typed, form = FORM): IShownField => {
  const found = showForm(form, typed).fields.find(one => one.name === name);
  if (!found) {
    throw new Error(`There is no ${name}.`);
  }
  return found;
};
const spec = (typed: Typed): unknown => showForm(FORM, { version: '5.11', ...typed }).spec;

it('asks for what differs from the defaults alone', () => {
  expect(spec({})).toEqual({ fields: { version: '5.11' } });
  const typed = {
    cores: '4',
    memory: '4g',
    walltime: '90 min',
    queue: 'long',
    account: 'p1',
    native: '-l a\n -l b ',
  };
  expect(spec({ ...typed, scale: '1,5', stereo: true, name: 'mine', gpus: '0' })).toEqual({
    ...{ name: 'mine', cores: 4, memory: '4GB', walltime: '01:30:00', queue: 'long', account: 'p1' },
    native: ['-l a', '-l b'],
    fields: { scale: 1.5, stereo: true, version: '5.11' },
  });
});

it('means by settings what they asked for', () => {
  const asked = {
    cores: 4,
    memory: '4GB',
    native: ['-l a'],
    fields: { stereo: true, scale: 2, version: '5.10' },
  };
  expect(showForm(FORM, typedOf(asked)).spec).toEqual(asked);
});

it('shows amounts in their one form', () => {
  expect(field('memory', { memory: '4' }).normal).toBe('4GB');
  expect(field('walltime', { walltime: '2h' }).normal).toBe('02:00:00');
  expect(field('walltime', { walltime: '02:00:00' }).normal).toBe('');
});

it.each([
  ['cores', '9', 'more'],
  ['cores', '8', 'none'],
  ['cores', '', 'empty'],
  ['cores', 'four', 'unreadable'],
  ['memory', '17g', 'more'],
  ['memory', '', 'none'],
  ['memory', 'much', 'unreadable'],
  ['walltime', '13h', 'more'],
  ['scale', '5', 'more'],
  ['scale', '0', 'less'],
  ['version', '', 'empty'],
])('says what is wrong with %s %s: %s', (name, typed, problem) => {
  expect(field(name, { [name]: typed }).problem).toBe(problem);
});

it('knows the limits of the queue that the job goes to, for the nodes that it asks for', () => {
  expect(field('cores', {}).most?.max).toBe(8);
  expect(field('cores', { nodes: '2' }).most?.max).toBe(6);
  expect(field('memory', { nodes: '2' }).most?.max).toBe('32GB');
  expect(field('walltime', { queue: 'long', walltime: '90h' }).problem).toBe('none');
  expect(field('cores', { queue: 'long' }).most).toMatchObject({ max: 2, source: 'app' });
  expect(field('cores', { queue: 'shut' }).most).toMatchObject({ max: 64, source: 'site' });
});

it('asks for nothing that the queue or the batch system does not have', () => {
  expect(field('gpus', { queue: 'long', gpus: '2' })).toMatchObject({
    fixed: 'queue',
    typed: '0',
    problem: 'none',
  });
  expect(spec({ queue: 'long', gpus: '2' })).toEqual({ queue: 'long', fields: { version: '5.11' } });
  const without = { ...FORM, ignored: ['account'] };
  expect(field('account', { account: 'p1' }, without).fixed).toBe('ignored');
  expect(showForm(without, { account: 'p1' }).spec).not.toHaveProperty('account');
  expect(field('queue', {}).closed).toEqual(['shut']);
  expect(() => field('gpu_type', {})).toThrow();
});

it('carries out the rules as it is filled in', () => {
  const shown = showForm(FORM, { renderer: 'gpu', stereo: true, gpus: '3', version: '5.11' });
  expect(shown.fields.map(({ name }) => name)).not.toContain('stereo');
  expect(shown.fields.find(({ name }) => name === 'gpus')).toMatchObject({ fixed: 'rule', typed: '1' });
  expect(shown.spec).toEqual({ fields: { renderer: 'gpu', version: '5.11' } });
});

it('reads a link, and nothing where there is none', () => {
  const address = 'http://x/qconnect/?token=t&start=paraview&cores=4&version=5.11';
  expect(launchLink(address)).toEqual({
    app: 'paraview',
    spec: { cores: '4', version: '5.11' },
    command: null,
  });
  expect(withoutLink(address)).toBe('http://x/qconnect/?token=t');
  expect(launchLink('http://x/qconnect/?cores=4')).toBeNull();
  expect(withoutLink('http://x/qconnect/?cores=4')).toBe('http://x/qconnect/?cores=4');
  const typed = typedOf(launchLink(address)?.spec ?? {});
  expect(showForm(FORM, typed).spec).toEqual({ cores: 4, fields: { version: '5.11' } } satisfies Record<
    string,
    IValue | Record<string, IValue>
  >);
});

it('asks by a link for what a session asked for', () => {
  const spec = {
    ...session('1').spec,
    cores: 4,
    native: ['-l a', '-l b'],
    fields: { version: '5.10', stereo: true },
  };
  const found = launchLink(`http://x/qconnect/?${linkTo(session('1', { spec }))}`);
  expect(found?.app).toBe('xterm');
  const shown = showForm(FORM, typedOf(found?.spec ?? {}));
  expect(shown.spec).toEqual({
    ...{ name: 'xterm', cores: 4, memory: '1GB', native: ['-l a', '-l b'] },
    fields: { version: '5.10', stereo: true },
  });
  const typed = session('1', { app: 'any', command: ['bash', '-c', 'ls | wc'] });
  expect(launchLink(`http://x/?${linkTo(typed)}`)?.command).toEqual(['bash', '-c', 'ls | wc']);
});
