import { app, TestServer, type Answer } from '../../core/__tests__/server';
import { withoutLive } from '../../core/launch-form';
import type { IApp, ILaunchForm, IStartRequest } from '../../core/models';
import { ResponseError } from '../../core/request';
import { english as trans } from '../../core/trans';
import { LaunchForm } from '../launch-form';
import type { IBeginning } from '../use-launch-form';
import { Drawn, enter } from './drawn';

const FORM = {
  ...app('tool').form,
  properties: {
    name: { title: 'Name', type: 'string', default: 'tool' },
    cores: { title: 'Cores', type: 'integer', default: 1 },
    memory: { title: 'Memory', type: 'string', format: 'memory', default: '1GB' },
    mail: { title: 'E-mail', enum: [null, 'start', 'end'], default: null },
  },
} satisfies ILaunchForm['form'];

let server: TestServer;
let view: Drawn;
let live: Partial<ILaunchForm>;
let started: IStartRequest[];
let refuse: Error | null;
let closed: number;
let saved: number;
let script: Answer;

async function draw(changed: Partial<IApp> = {}, beginning?: IBeginning): Promise<void> {
  const onStart = async (request: IStartRequest): Promise<void> => {
    started.push(request);
    return refuse ? Promise.reject(refuse) : Promise.resolve();
  };
  const ends = { onClose: () => (closed += 1), onSaved: () => (saved += 1) };
  await view.draw(
    <LaunchForm
      app={app('tool', { title: 'Tool', form: FORM, ...changed })}
      server={server.way}
      {...{ beginning, onStart, ...ends, trans }}
    />,
  );
}

const field = (name: string): HTMLInputElement => view.find(`[data-field=${name}] input`) as HTMLInputElement;
const type = async (name: string, text: string): Promise<void> => view.doing(() => enter(field(name), text));
async function shows(words: string): Promise<void> {
  const deadline = Date.now() + 3000;
  while (!view.node.textContent.includes(words)) {
    if (Date.now() > deadline) {
      throw new Error(`${words} is missing: ${view.text}`);
    }
    await view.doing(() => undefined);
  }
}

beforeEach(async () => {
  server = await new TestServer().start();
  [live, started, refuse, closed, saved] = [{}, [], null, 0, 0];
  script = { json: { script: '#!/bin/bash' } };
  server.answer = ({ path, method }) => {
    if (path.endsWith('/script')) {
      return script;
    }
    return method === 'GET' ? { json: { ...withoutLive(FORM), ...live } } : { status: 201, json: {} };
  };
  view = new Drawn();
});
afterEach(async () => {
  await view.remove();
  await server.stop();
});

it('is a dialog named after its app, with the keyboard in its first field', async () => {
  await draw();
  const dialog = view.find('dialog');
  expect(document.getElementById(dialog.getAttribute('aria-labelledby') ?? '')?.textContent).toBe('Tool');
  expect(document.activeElement).toBe(field('name'));
  const labels = view.all('label').map(({ textContent }) => textContent);
  expect(labels).toEqual(expect.arrayContaining(['Name', 'Cores', 'Memory', 'E-mail']));
  expect(view.all('input, select').every(one => one.id && view.find(`label[for="${one.id}"]`))).toBe(true);
});

it('starts with what is filled in, and closes', async () => {
  await draw();
  await type('cores', '4');
  await type('memory', '1.5g');
  await view.click(view.button('Start'));
  expect(started).toEqual([{ app: 'tool', spec: { cores: 4, memory: '1536MB' }, remember: true }]);
  expect(closed).toBe(1);
});

it('asks for nothing that cannot be, and says so at the field', async () => {
  live = { limits: [{ field: 'cores', source: 'queue', min: null, max: 8, queue: 'batch', per: 'node' }] };
  live.default_queue = 'batch';
  await draw();
  await shows('up to 8 (queue batch)');
  await type('cores', '9');
  expect(view.find('[data-field=cores] [role=alert]').textContent).toBe('Ask for 8 or less: queue batch.');
  expect(field('cores').getAttribute('aria-invalid')).toBe('true');
  await view.click(view.button('Start'));
  expect(started).toEqual([]);
});

it('shows what the server refuses at its field until that is changed, and loses nothing', async () => {
  refuse = new ResponseError(502, 'x', 'account', false, { cores: 'Slurm says no.', other: 'And that.' });
  await draw();
  await type('cores', '4');
  await view.click(view.button('Start'));
  expect(view.find('[data-field=cores] [role=alert]').textContent).toBe('Slurm says no.');
  expect(view.find('form > [role=alert]').textContent).toBe('And that.');
  expect(field('cores').value).toBe('4');
  expect(closed).toBe(0);
  await type('cores', '2');
  expect(view.find('[data-field=cores] [role=alert]').textContent).toBe('');
  refuse = null;
  await view.click(view.button('Start'));
  expect(closed).toBe(1);
});

it('begins with what was asked for the last time, under what is typed meanwhile', async () => {
  live = { last: { id: '', name: '', spec: { cores: 3, memory: '3GB' }, command: null } };
  await draw();
  await type('cores', '5');
  await shows('Show script');
  const deadline = Date.now() + 3000;
  while (field('memory').value !== '3GB' && Date.now() < deadline) {
    await view.doing(() => undefined);
  }
  expect([field('cores').value, field('memory').value]).toEqual(['5', '3GB']);
});

it('begins with what it is given, whatever was asked for the last time', async () => {
  live = { last: { id: '', name: '', spec: { cores: 3 }, command: null } };
  await draw({}, { spec: { memory: '7GB' } });
  await view.doing(() => undefined);
  expect([field('cores').value, field('memory').value]).toEqual(['1', '7GB']);
});

it('shows the script', async () => {
  await draw();
  await view.click(view.button('Show script'));
  await shows('#!/bin/bash');
  expect(started).toEqual([]);
});

it('keeps settings by name, takes them and forgets them', async () => {
  const big = { id: 'a1', name: 'big', spec: { cores: 16 }, command: null };
  live = { saved: [big] };
  await draw({ saved: [big] });
  await view.click(view.button('big'));
  expect(field('cores').value).toBe('16');
  await view.click(view.button('As the site has it'));
  expect(field('cores').value).toBe('1');
  await view.click(view.button('Forget the settings big'));
  await view.doing(() => enter(view.find('.jp-qconnect-save input') as HTMLInputElement, ' mine '));
  await type('cores', '2');
  await view.click(view.button('Save'));
  await shows('Saved as mine');
  const sent = server.asked.filter(({ method }) => method !== 'GET');
  expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'DELETE /a%40b/qconnect/api/apps/tool/saved/a1',
    'POST /a%40b/qconnect/api/apps/tool/saved',
  ]);
  expect(JSON.parse(sent[1]?.body ?? '')).toEqual({ name: 'mine', spec: { cores: 2 } });
  expect(saved).toBe(2);
});

it('gives the words of a command, and keeps one that cannot be read', async () => {
  await draw({ takes_command: true });
  expect(document.activeElement).toBe(view.field);
  await view.type('xterm "left open');
  await view.click(view.button('Start'));
  expect(view.find('form > [role=alert]').textContent).toContain('left open. Close it.');
  await view.type(' ');
  await view.click(view.button('Start'));
  expect(view.find('form > [role=alert]').textContent).toBe('Write the command to start.');
  await view.type('xterm -title "two words"');
  await view.click(view.button('Start'));
  expect(started[0]?.command).toEqual(['xterm', '-title', 'two words']);
});

it.each([
  [['bash', '-c', 'ls | wc'], 'ls | wc'],
  [['xterm', '-title', 'two words', "it's"], "xterm -title 'two words' 'it'\\''s'"],
])('shows the command %j as it can be typed', async (command, line) => {
  await draw({ takes_command: true }, { spec: {}, command });
  expect(view.field.value).toBe(line);
});

it('sets a mark, and takes it back', async () => {
  const fields = {
    ...{ title: 'Tool', type: 'object' as const, additionalProperties: false as const },
    properties: { stereo: { title: 'Stereo', type: 'boolean' as const, 'x-kind': 'checkbox' as const } },
  };
  await draw({ form: { ...FORM, properties: { ...FORM.properties, fields } } });
  live = { form: { ...FORM, properties: { ...FORM.properties, fields } } };
  await view.click(field('stereo'));
  expect(field('stereo').checked).toBe(true);
  await view.click(view.button('Start'));
  expect(started[0]?.spec).toEqual({ fields: { stereo: true } });
});
