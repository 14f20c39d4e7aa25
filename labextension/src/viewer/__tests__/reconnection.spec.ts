/** @jest-environment node */
import type { IServer } from '../../core/request';
import { Reconnection, type Obstacle } from '../reconnection';

/** What stands where the server was: its answers to plain HTTP, and whether a websocket opens. */
interface IFront {
  get: () => Response | 'nothing';
  post?: () => Response;
  opens?: boolean;
  /** Whether it is cut as soon as it is open. */
  cuts?: boolean;
}

/** An answer without a stream, which would go by a clock of its own. */
const said = (status: number, text: string): Response =>
  ({ status, ok: status < 300, redirected: false, text: () => Promise.resolve(text) }) as Response;
const page = (status: number): Response => said(status, '<html>');
const json = (status: number, body: object): Response => said(status, JSON.stringify(body));
const session = (): Response => json(200, { title: 'XTerm', reason: null });

/** A page that reconnects, and when it asked for what. */
class Tab {
  readonly asked: [number, string][] = [];

  constructor(
    public front: IFront,
    public seen = true,
  ) {
    const server: IServer = {
      baseUrl: '/',
      spawnUrl: null,
      send: (_, { method = 'GET', redirect }) => {
        this._note(redirect === 'manual' ? 'look' : method);
        const answer = method === 'POST' ? this.front.post?.() : this.front.get();
        return typeof answer === 'object' ? Promise.resolve(answer) : Promise.reject(new TypeError('failed'));
      },
    };
    this._reconnection = new Reconnection({
      server,
      session: '1.local',
      address: 'qconnect/1.local/live',
      open: () => {
        this._note('open');
        queueMicrotask(() => this._opens(this.front));
      },
      seen: () => this.seen,
      changed: () => undefined,
    });
  }

  get obstacle(): Obstacle | null {
    return this._reconnection.obstacle;
  }

  get words(): string {
    return this._reconnection.words;
  }

  /** What was asked for, in order. */
  get order(): string[] {
    return this.asked.map(([, what]) => what);
  }

  lose(): this {
    this._reconnection.down(true);
    return this;
  }

  look(): void {
    this.seen = true;
    this._reconnection.hurry();
  }

  end(): void {
    this._reconnection.stop();
  }

  private _opens({ opens, cuts }: IFront): void {
    if (opens) {
      this._reconnection.opened();
    }
    if (!opens || cuts) {
      this._reconnection.down(false);
    }
  }

  private _note(what: string): void {
    this.asked.push([Date.now(), what]);
  }

  private readonly _reconnection: Reconnection;
}

const AWAY: IFront = { get: () => page(502) };
const BACK: IFront = { get: session, opens: true };
const CUT: IFront = { ...BACK, post: () => said(204, ''), cuts: true };
const EATEN: IFront = { get: session, post: () => said(204, '') };
const CHANGED: IFront = {
  get: session,
  post: () => json(403, { message: 'Origin a, Host b.', reason: 'origin' }),
};
const STOPPED: IFront = { get: () => json(424, { message: 'JupyterHub server no longer running at /x.' }) };

/** Lets so many milliseconds pass, and all that follows from an answer happen within each hundred of them. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 100) {
    await new Promise(resolve => setImmediate(resolve));
    await jest.advanceTimersByTimeAsync(Math.min(left, 100));
  }
  await new Promise(resolve => setImmediate(resolve));
}

beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] }));
afterEach(() => jest.useRealTimers());

describe('a lost connection', () => {
  it('is opened again as soon as the server itself has answered', async () => {
    const tab = new Tab(BACK).lose();
    await pass(0);
    expect(tab.order).toEqual(['GET', 'open']);
    expect(tab.obstacle).toBeNull();
    await pass(60_000);
    expect(tab.asked).toHaveLength(2);
  });

  it.each<[Obstacle, IFront]>([
    ['away', AWAY],
    ['away', { get: () => page(404) }],
    ['away', { get: () => json(404, { message: 'Not Found', reason: null }) }],
    ['away', { get: () => page(503) }],
    ['away', { get: () => page(200) }],
    ['away', { get: () => 'nothing' }],
    ['stopped', STOPPED],
    ['stopped', { get: () => page(424) }],
    ['logged-out', { get: () => page(401) }],
    ['logged-out', { get: () => json(403, { message: 'Forbidden.', reason: 'forbidden' }) }],
    ['removed', { get: () => json(404, { message: 'No such session.', reason: 'unknown-session' }) }],
    ['away', { get: () => json(502, { message: 'No file system.', reason: 'storage' }) }],
  ])('is noticed at once as %s (case %#), asked for again, and comes back', async (obstacle, front) => {
    const tab = new Tab(front).lose();
    await pass(1);
    expect(tab.obstacle).toBe(obstacle);
    expect(tab.order).not.toContain('open');
    await pass(60_000);
    expect(tab.obstacle).toBe(obstacle);
    expect(tab.order.filter(what => what === 'GET').length).toBeGreaterThan(5);
    tab.front = BACK;
    await pass(60_000 / 6);
    expect(tab.obstacle).toBeNull();
    expect(tab.order.at(-1)).toBe('open');
  });

  it('is noticed as a login elsewhere, which browsers report as no answer', async () => {
    const elsewhere = { type: 'opaqueredirect', ok: false } as Response;
    let looked = false;
    const tab = new Tab({ get: () => (looked ? elsewhere : 'nothing') }).lose();
    looked = true; // the first answer was refused by the browser before this line
    await pass(1);
    expect(tab.order.slice(0, 2)).toEqual(['GET', 'look']);
    expect(tab.obstacle).toBe('logged-out');
  });

  it('is never opened again for a session that is over', async () => {
    const tab = new Tab(AWAY).lose();
    await pass(1);
    tab.end();
    tab.front = BACK;
    tab.look();
    await pass(600_000);
    expect(tab.order).toEqual(['GET']);
  });
});

describe('a websocket that does not open though the server answers', () => {
  it('is explained by the server', async () => {
    const tab = new Tab(CHANGED).lose();
    await pass(1);
    expect(tab.order).toEqual(['GET', 'open', 'POST']);
    expect([tab.obstacle, tab.words]).toEqual(['refused', 'Origin a, Host b.']);
    await pass(2000);
    expect(tab.obstacle).toBe('refused'); // and stays so while it is tried again
    tab.front = BACK;
    await pass(2000);
    expect([tab.obstacle, tab.words]).toEqual([null, '']);
  });

  it('is missed by the server, which is believed the second time', async () => {
    const tab = new Tab(EATEN).lose();
    await pass(1);
    expect(tab.obstacle).toBeNull();
    await pass(2000);
    expect(tab.obstacle).toBe('no-upgrade');
  });
});

describe('a websocket that is cut as soon as it is open', () => {
  it('is not opened in a loop, and told as one that does not get through', async () => {
    const tab = new Tab(CUT).lose();
    await pass(2000);
    expect(tab.obstacle).toBe('no-upgrade');
    await pass(600_000);
    expect(tab.asked.length).toBeLessThan(150);
  });
});

describe('two hundred forgotten tabs', () => {
  const TABS = 200;
  const WINDOW_MS = 10_000;

  /** The most requests a second, over any ten seconds of the first ten minutes. */
  async function busiest(front: IFront): Promise<number> {
    const tabs = Array.from({ length: TABS }, () => new Tab(front, false).lose());
    await pass(600_000);
    const at = tabs.flatMap(({ asked }) => asked.map(([time]) => time));
    const counts = at.map(from => at.filter(time => time >= from && time < from + WINDOW_MS).length);
    return Math.max(0, ...counts) / (WINDOW_MS / 1000);
  }

  it.each<[string, IFront]>([
    ['is away', AWAY],
    ['does not answer', { get: () => 'nothing' }],
    ['is stopped', STOPPED],
    ['wants a login', { get: () => page(401) }],
    ['gets no websocket', EATEN],
    ['refuses the page', CHANGED],
    ['is cut off again', CUT],
  ])('ask at most ten times a second while the server %s', async (_, front) => {
    expect(await busiest(front)).toBeLessThanOrEqual(10);
  });

  it('ask at once when somebody looks', async () => {
    const tab = new Tab(STOPPED, false).lose();
    await pass(600_000);
    const before = tab.asked.length;
    tab.front = BACK;
    tab.look();
    await pass(1);
    expect(tab.order.slice(before)).toEqual(['GET', 'open']);
  });
});
