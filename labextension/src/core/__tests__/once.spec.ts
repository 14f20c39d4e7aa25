import { Once } from '../once';

describe('an action', () => {
  const once = new Once();

  it('runs one time for a double click, and again a second later', async () => {
    jest.useFakeTimers();
    let runs = 0;
    const action = async (): Promise<number> => Promise.resolve((runs += 1));
    expect(await once.run('xterm', action)).toBe(1);
    jest.advanceTimersByTime(400);
    expect(await once.run('xterm', action)).toBeNull();
    expect(await once.run('other', action)).toBe(2);
    jest.advanceTimersByTime(601);
    expect(await once.run('xterm', action)).toBe(3);
    jest.useRealTimers();
  });

  it('may be repeated after it failed', async () => {
    jest.useFakeTimers();
    await expect(once.run('failing', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    jest.advanceTimersByTime(1001);
    expect(await once.run('failing', () => Promise.resolve(1))).toBe(1);
    jest.useRealTimers();
  });
});
