import { app, session } from '../../core/__tests__/server';
import type { IQueue, ISession } from '../../core/models';
import { NetworkError, ResponseError } from '../../core/request';
import { english as trans } from '../../core/trans';
import { AppTiles } from '../app-tiles';
import { EndDialog, LogDialog } from '../dialogs';
import { Queues } from '../queue-table';
import { SessionList } from '../session-list';
import { Drawn } from './drawn';

let view: Drawn;
beforeEach(() => {
  view = new Drawn();
});
afterEach(() => view.remove());

describe('the list of sessions', () => {
  const done: string[] = [];
  const said: string[] = [];
  const note =
    (word: string) =>
    ({ id }: ISession): void =>
      void done.push(`${word} ${id}`);
  const draw = async (...sessions: ISession[]): Promise<unknown> =>
    view.draw(
      <SessionList
        sessions={sessions}
        actions={{
          end: note('end'),
          log: note('log'),
          forget: note('forget'),
          again: note('again'),
          change: note('change'),
          startable: ({ id }) => id !== '4.local',
        }}
        announce={words => void said.push(words)}
        trans={trans}
      />,
    );

  beforeEach(() => {
    done.length = said.length = 0;
  });

  it('says in words how each one is, and how long it may run', async () => {
    await draw(
      session('1.local', { state: 'QUEUED', walltime_left: null, reason: 'Waiting in the queue batch.' }),
      session('2.local', { name: 'mine', title: 'mine', walltime_left: 3 * 3600 }),
    );
    const rows = view.all('.jp-qconnect-session');
    expect(rows.map(row => row.dataset['state'])).toEqual(['QUEUED', 'READY']);
    expect(rows[0]?.textContent).toContain('Waiting in the queue');
    expect(rows[0]?.textContent).toContain('Waiting in the queue batch.');
    expect(rows[1]?.textContent).toContain('xterm · 2.local · n1 · 3 h 0 min left');
    expect(rows[1]?.querySelector('a')?.getAttribute('href')).toBe('/a%40b/qconnect/2.local/');
  });

  it('offers to end what runs, and to remove what has ended', async () => {
    await draw(
      session('1.local'),
      session('2.local', { state: 'ENDED' }),
      session('3.local', { state: 'ENDING' }),
    );
    await view.click(view.button('End XTerm 1.local'));
    await view.click(view.button('Log of XTerm 1.local'));
    await view.click(view.button('Remove XTerm 2.local'));
    expect(done).toEqual(['end 1.local', 'log 1.local', 'forget 2.local']);
    expect(() => view.button('End XTerm 2.local')).toThrow();
    expect(() => view.button('End XTerm 3.local')).toThrow();
    expect(view.find('summary').textContent).toBe('Ended (1)');
  });

  it('tells aloud of each change, and shows a failure without being asked', async () => {
    await draw(session('1.local'), session('2.local', { state: 'ENDED' }));
    expect(said).toEqual([]);
    expect(view.box.open).toBe(false);
    await draw(session('1.local', { state: 'FAILED' }), session('2.local', { state: 'ENDED' }));
    expect(said).toEqual(['XTerm 1.local: Failed']);
    expect(view.box.open).toBe(true);
  });

  it('says how old the last word of a scheduler is that does not answer', async () => {
    const since = new Date(Date.now() - 65_000).toISOString();
    await draw(session('1.local', { stale_since: since }));
    expect(view.text).toContain('The scheduler has not answered for 1 min');
  });

  it('says what to do when there is none', async () => {
    await draw();
    expect(view.text).toContain('Start a program below');
    expect(view.all('ul')).toHaveLength(0);
  });
});

describe('the tiles', () => {
  it('are grouped by category, and choose an app that is not being started', async () => {
    const chosen: string[] = [];
    const apps = [
      app('xterm'),
      app('r', { category: 'Statistics' }),
      app('matlab', { available: false, reason: 'No.' }),
    ];
    await view.draw(
      <AppTiles
        apps={apps}
        starting={new Set(['r'])}
        onOptions={fail}
        onSaved={fail}
        onChoose={({ name }) => void chosen.push(name)}
        trans={trans}
      />,
    );
    expect(view.all('h3').map(({ textContent }) => textContent)).toEqual(['Tools', 'Statistics']);
    for (const tile of view.all('.jp-qconnect-tile')) {
      await view.click(tile);
    }
    expect(chosen).toEqual(['xterm']);
    expect(view.find('[data-app=r]').getAttribute('aria-disabled')).toBe('true');
    expect(view.find('.jp-qconnect-missing').textContent).toContain('MATLAB No.');
  });

  it('say so when none of the programs is here', async () => {
    const none = [app('matlab', { available: false, reason: 'Not installed.' })];
    await view.draw(
      <AppTiles
        apps={none}
        starting={new Set()}
        onChoose={fail}
        onOptions={fail}
        onSaved={fail}
        trans={trans}
      />,
    );
    expect(view.text).toContain('None of the programs');
  });
});

function fail(): never {
  throw new Error('nobody should call this');
}

describe('ending a session', () => {
  const draw = async (end: () => Promise<void>, onClose: () => void): Promise<unknown> =>
    view.draw(<EndDialog session={session('1.local')} end={end} onClose={onClose} trans={trans} />);

  it('is asked for with the keyboard on the way out', async () => {
    await draw(fail, fail);
    expect(view.find('h2').textContent).toBe('End XTerm 1.local?');
    expect(document.activeElement).toBe(view.button('Keep it running'));
  });

  it('closes the question when it is done, and says why when it is not', async () => {
    let closed = 0;
    let refuse = true;
    await draw(
      () =>
        refuse
          ? Promise.reject(new ResponseError(502, 'qdel: no answer.', 'scheduler-failed'))
          : Promise.resolve(),
      () => (closed += 1),
    );
    await view.click(view.button('End session'));
    expect(view.find('[role=alert]').textContent).toBe('qdel: no answer.');
    expect(closed).toBe(0);
    refuse = false;
    await view.click(view.button('End session'));
    expect(closed).toBe(1);
  });
});

describe('the log', () => {
  it.each([
    ['what the job wrote', () => Promise.resolve('no display\n'), 'no display'],
    ['that there is nothing', () => Promise.resolve(' \n'), 'The session wrote no log.'],
    ['why it is not there', () => Promise.reject(new NetworkError('gone')), 'does not answer'],
  ])('shows %s', async (_, load, words) => {
    await view.draw(<LogDialog session={session('1.local')} load={load} onClose={fail} trans={trans} />);
    await view.doing(() => undefined);
    expect(view.find('pre').textContent).toContain(words);
  });
});

describe('the queues', () => {
  const batch: IQueue = {
    name: 'batch',
    enabled: true,
    started: true,
    default: true,
    max_walltime_s: 43_200,
    max_nodes: null,
    max_cores: null,
    max_memory: null,
    max_running: 3,
    node_cores: 0,
    node_memory: 24 * 2 ** 30,
    node_gpus: null,
    gpu_types: [],
    memory_per_core: null,
    free_cores: null,
    queued: null,
    running: null,
  };

  async function open(): Promise<void> {
    await view.doing(() => {
      view.box.open = true;
    });
    await view.doing(() => undefined);
  }

  it('are asked for when they are opened, and not before', async () => {
    const asked: number[] = [];
    const load = async () => {
      asked.push(1);
      const queues = [batch, { ...batch, name: 'closed', default: false, enabled: false }];
      return Promise.resolve({ scheduler: { name: 'torque' as const, why: 'qstat is there.' }, queues });
    };
    await view.draw(<Queues load={load} trans={trans} />);
    expect(asked).toEqual([]);
    await open();
    expect(asked).toEqual([1]);
    expect(view.text).toContain('Batch system: torque. qstat is there.');
    const cells = view.all('tbody tr').map(row => [...row.children].map(({ textContent }) => textContent));
    expect(cells).toEqual([
      ['batch (default)', '–', 'up to 12:00 h', '0', '24 GB', 'up to 3'],
      ['closed – takes no jobs now', '–', 'up to 12:00 h', '0', '24 GB', 'up to 3'],
    ]);
  });

  it('say why they are not known', async () => {
    await view.draw(<Queues load={() => Promise.reject(new NetworkError('gone'))} trans={trans} />);
    await open();
    expect(view.text).toContain('does not answer');
  });
});
