import { SESSION_EVENT } from '../../core/sessions';
import { ServerEvents } from '../events';

/** A websocket that does what the test says. */
class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static readonly made: FakeSocket[] = [];
  readyState = 0;

  constructor(readonly url: string) {
    super();
    FakeSocket.made.push(this);
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }

  say(data: string): void {
    this.dispatchEvent(new MessageEvent('message', { data }));
  }

  close(): void {
    this.readyState = 3;
    this.dispatchEvent(new Event('close'));
  }
}

let heard: string[];
let events: ServerEvents;
const latest = (): FakeSocket => FakeSocket.made.at(-1) ?? new FakeSocket('none');

beforeEach(() => {
  jest.useFakeTimers();
  FakeSocket.made.length = 0;
  Object.assign(globalThis, { WebSocket: FakeSocket });
  events = new ServerEvents('ws://localhost/api/events/subscribe', () => true);
  heard = [];
  events.emitted.connect((_, { schema_id }) => heard.push(schema_id));
});
afterEach(() => jest.useRealTimers());

it('is connected when its websocket is', () => {
  expect(latest().url).toBe('ws://localhost/api/events/subscribe');
  expect(events.connected).toBe(false);
  latest().open();
  expect(events.connected).toBe(true);
  latest().close();
  expect(events.connected).toBe(false);
});

it('has no websocket while nobody looks, nor makes one by itself, and one at the first look', () => {
  latest().open();
  events.rest();
  expect([latest().readyState, events.connected]).toEqual([3, false]);
  jest.advanceTimersByTime(600_000);
  expect(FakeSocket.made).toHaveLength(1);
  events.wake();
  latest().open();
  expect([FakeSocket.made.length, events.connected]).toEqual([2, true]);
  latest().close();
  events.rest();
  jest.advanceTimersByTime(600_000);
  expect(FakeSocket.made).toHaveLength(2);
  events.wake();
  events.wake();
  expect(FakeSocket.made).toHaveLength(3);
});

it('passes on what the server tells, and takes no harm from anything else', () => {
  latest().say(JSON.stringify({ schema_id: SESSION_EVENT, job: '1.local' }));
  for (const nonsense of ['', 'null', '7', '{', '{"schema_id": 7}']) {
    latest().say(nonsense);
  }
  expect(heard).toEqual([SESSION_EVENT, '', '', '', '', '']);
});

it('makes its listeners look when the stream begins and when it breaks off', () => {
  latest().open();
  expect(heard).toEqual([SESSION_EVENT]);
  latest().close();
  expect(heard).toEqual([SESSION_EVENT, SESSION_EVENT]);
});

it('connects again by itself, and at once when it is told to', () => {
  latest().open();
  latest().close();
  const before = FakeSocket.made.length;
  jest.advanceTimersByTime(1000);
  expect(FakeSocket.made.length).toBe(before + 1);
  events.hurry();
  expect(FakeSocket.made.length).toBe(before + 1); // this try is under way
  latest().close();
  events.hurry();
  expect(FakeSocket.made.length).toBe(before + 2);
});
