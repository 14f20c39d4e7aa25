import { TestServer } from '../../core/__tests__/server';
import type { IFinding, IProbe } from '../../core/models';
import { english as trans } from '../../core/trans';
import { Doctor } from '../doctor';
import { Drawn } from './drawn';

const GOOD: IFinding = { check: 'clock', level: 'ok', found: 'It is right.', advice: '' };
const BAD: IFinding = {
  check: 'folder',
  level: 'problem',
  found: 'Others\u202e see it.',
  advice: 'Run: chmod',
};
const TAKEN: IFinding = { check: 'submission', level: 'ok', found: 'It was taken.', advice: '' };

let server: TestServer;
let view: Drawn;
let probe: IProbe;

async function shows(words: string): Promise<void> {
  const deadline = Date.now() + 6000;
  while (!view.text.includes(words)) {
    if (Date.now() > deadline) {
      throw new Error(`${words} is missing: ${view.text}`);
    }
    await view.doing(() => undefined);
  }
}

beforeEach(async () => {
  server = await new TestServer().start();
  probe = { running: false, words: '', findings: [] };
  server.answer = ({ path, method }) => {
    if (!path.includes('/probe')) {
      return { json: { level: 'problem', findings: [GOOD, BAD], probe } };
    }
    if (method === 'POST') {
      probe = { ...probe, running: true, words: 'QUEUED: it waits' };
    }
    return { json: probe };
  };
  view = new Drawn();
  await view.draw(<Doctor server={server.way} trans={trans} />);
});
afterEach(async () => {
  await view.remove();
  await server.stop();
});

async function open(): Promise<void> {
  await view.doing(() => {
    view.box.open = true;
  });
  await shows('It is right.');
}

it('examines when it is opened, tells the worst first, and by which name the browser knows the server', async () => {
  expect(server.asked).toEqual([]);
  await open();
  const page = `doctor?page=${encodeURIComponent(location.origin)}`;
  expect(server.asked.filter(({ path }) => path.endsWith(page))).toHaveLength(1);
  const [first] = view.all('.jp-qconnect-findings li');
  expect(first?.textContent).toBe('Problem folder: Others\\u202e see it.Run: chmod');
  expect(view.find('pre').textContent).toContain('Problem\tfolder: Others\\u202e see it.\n\t→ Run: chmod');
});

it('tries a small job, once, and tells what it waits for and what it found', async () => {
  await open();
  await view.click(view.button('Try a small job'));
  await shows('A small job runs. QUEUED: it waits');
  expect(view.button('Try a small job').disabled).toBe(true);
  probe = { running: false, words: '', findings: [TAKEN] };
  await shows('Good submission: It was taken.');
  expect(view.button('Try a small job').disabled).toBe(false);
});
