/** @jest-environment node */
import { onReturn, pauseMs, Retry } from '../retry';

const MINUTE = 60_000;

describe('the pause before the next try', () => {
  it('is short at first, and never longer than a sixth of the silence for who looks', () => {
    expect(pauseMs(0, true, 0.5)).toBe(200);
    for (let silent = 2000; silent < 10 * MINUTE; silent *= 1.3) {
      expect(pauseMs(silent, true, 0.999)).toBeLessThanOrEqual(silent / 6);
    }
  });

  it('grows to 30 seconds, a fifth more or less', () => {
    expect(pauseMs(60 * MINUTE, true, 0.5)).toBe(30_000);
    expect(pauseMs(60 * MINUTE, true, 0)).toBeCloseTo(24_000);
    expect(pauseMs(60 * MINUTE, true, 0.999)).toBeLessThan(36_000);
  });

  it('is as long from the start where nobody looks, and the first one anywhere within it', () => {
    expect([0, 0.5, 0.9].map(chance => pauseMs(0, false, chance))).toEqual([0, 15_000, 27_000]);
    expect(pauseMs(1000, false, 0.5)).toBe(30_000);
  });
});

describe('what failed', () => {
  let tries: number[];
  let seen: boolean;
  let retry: Retry;

  beforeEach(() => {
    jest.useFakeTimers();
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    tries = [];
    seen = true;
    const began = Date.now();
    retry = new Retry(
      () => tries.push(Date.now() - began),
      () => seen,
    );
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  it('is tried once for each failure', () => {
    retry.failed();
    retry.failed();
    jest.advanceTimersByTime(MINUTE);
    expect(tries).toEqual([200]);
  });

  it('is tried sooner again after it worked', () => {
    retry.failed();
    jest.advanceTimersByTime(MINUTE);
    retry.failed();
    jest.advanceTimersByTime(7000);
    expect(tries).toHaveLength(1); // an eighth of a minute
    retry.worked();
    retry.failed();
    jest.advanceTimersByTime(200);
    expect(tries).toHaveLength(2);
  });

  it('is tried at once when somebody comes back, and not twice', () => {
    seen = false;
    retry.failed();
    jest.advanceTimersByTime(1000);
    retry.hurry();
    retry.hurry();
    jest.advanceTimersByTime(MINUTE);
    expect(tries).toEqual([1000]);
  });

  it.each(['stopped', 'logged-out'] as const)('is left alone, unseen, while the server is %s', absence => {
    seen = false;
    retry.failed(absence);
    jest.advanceTimersByTime(10 * MINUTE);
    expect(tries).toEqual([]);
    retry.hurry();
    expect(tries).toHaveLength(1);
  });

  it('is tried no more when it was stopped', () => {
    retry.failed();
    retry.stop();
    retry.hurry();
    jest.advanceTimersByTime(MINUTE);
    expect(tries).toEqual([]);
  });
});

it('somebody comes back by focus, by the network and by looking, and not while the page is hidden', () => {
  const page = new EventTarget();
  const document = Object.assign(new EventTarget(), { hidden: false });
  let count = 0;
  onReturn(page, document, () => (count += 1));
  page.dispatchEvent(new Event('focus'));
  page.dispatchEvent(new Event('online'));
  document.dispatchEvent(new Event('visibilitychange'));
  expect(count).toBe(3);
  document.hidden = true;
  page.dispatchEvent(new Event('online'));
  document.dispatchEvent(new Event('visibilitychange'));
  expect(count).toBe(3);
});
