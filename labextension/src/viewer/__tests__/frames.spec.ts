import { english } from '../../core/trans';
import { Frames, type ISituation } from '../frames';
import { eventMessage, type IEvents } from '../messages';

jest.mock('../../core/marks', () => ({ mark: () => undefined })); // jsdom keeps no marks

const READY: ISituation = {
  ...{ ready: true, linked: true, visible: true, over: false, fill: false },
  address: { url: '/x/index.html', path: '/x/ws', sandbox: false, hold_keys: false },
};
const nothing = (): void => undefined;
let stage: HTMLElement;
let frames: Frames;

beforeEach(() => {
  jest.useFakeTimers();
  stage = document.createElement('main');
  document.body.replaceChildren(stage);
  const hooks = { event: nothing, painted: nothing, lost: nothing, moved: nothing, opened: nothing };
  frames = new Frames(stage, english, hooks);
});
afterEach(() => jest.useRealTimers());

/** The client in the frame that loads, or else in the one that is shown, says this. */
function say<E extends keyof IEvents>(event: E, data: IEvents[E]): void {
  const source = stage.querySelector('iframe')?.contentWindow ?? null;
  window.dispatchEvent(new MessageEvent('message', { source, data: eventMessage(event, data) }));
}

/** Lets time pass, in which the page steers as it does. */
function pass(seconds: number): void {
  for (let quarter = 0; quarter < seconds * 4; quarter++) {
    jest.advanceTimersByTime(250);
    frames.steer(READY);
  }
}

/** A display whose client is connected and has heard of so many windows. */
function connect(count: number): HTMLIFrameElement | null {
  frames.steer(READY);
  say('loaded', { version: '3.1.3' });
  frames.steer(READY);
  say('opened', {});
  say('windows', { count });
  return stage.querySelector('iframe');
}

const painted = (): void => say('painted', { w: 640, h: 480, cls: null, ms: 1 });

describe('a display without a window', () => {
  it('is one after ten seconds, and is not opened anew', () => {
    const first = connect(0);
    pass(9);
    expect(frames.windowless).toBe(false);
    pass(60);
    expect(frames.windowless).toBe(true);
    expect(stage.querySelector('iframe')).toBe(first);
  });

  it('is none any more when a window comes, and again when the last one has gone', () => {
    connect(0);
    pass(11);
    say('windows', { count: 1 });
    expect(frames.windowless).toBe(false);
    painted();
    pass(60);
    expect(frames.windowless).toBe(false);
    say('windows', { count: 0 });
    pass(9);
    expect(frames.windowless).toBe(false);
    pass(2);
    expect(frames.windowless).toBe(true);
  });

  it('is nothing that can be said of one whose connection is gone', () => {
    connect(1);
    painted();
    say('windows', { count: 0 });
    pass(11);
    expect(frames.windowless).toBe(true);
    say('closed', { reason: null });
    expect(frames.windowless).toBe(false);
  });
});

it('a display whose window shows nothing is opened anew', () => {
  const first = connect(1);
  pass(16);
  expect(first?.isConnected).toBe(false);
  expect(stage.querySelector('iframe')).not.toBeNull();
  expect(frames.windowless).toBe(false);
});

it('of a session that has ended no frame is loaded or kept that has not painted', () => {
  expect(connect(0)).not.toBeNull();
  frames.steer({ ...READY, over: true });
  expect(stage.querySelector('iframe')).toBeNull();
  frames.steer({ ...READY, over: true });
  expect(stage.querySelector('iframe')).toBeNull();
});
