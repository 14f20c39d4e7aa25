/** @jest-environment node */
import { centred, filling, fitted, needed } from '../placement';

const ROOM = { width: 1200, height: 760 };
const BARE = { leftoffset: 0, rightoffset: 0, topoffset: 0, bottomoffset: 0 };
const TITLED = { ...BARE, topoffset: 30 };

describe('a window that floats', () => {
  it('stays as it is where there is room', () => {
    const box = { x: 100, y: 90, w: 600, h: 400 };
    expect(fitted(box, TITLED, {}, ROOM)).toEqual(box);
  });

  it('that is larger than the stage is fitted into it, under its title', () => {
    expect(fitted({ x: 50, y: 30, w: 1096, h: 822 }, TITLED, {}, ROOM)).toEqual({
      x: 50,
      y: 30,
      w: 1096,
      h: 730,
    });
    expect(fitted({ x: 50, y: 200, w: 4000, h: 400 }, TITLED, {}, ROOM)).toEqual({
      x: 0,
      y: 200,
      w: 1200,
      h: 400,
    });
  });

  it('comes back from beyond the edges', () => {
    expect(fitted({ x: 3000, y: -500, w: 600, h: 400 }, TITLED, {}, ROOM)).toEqual({
      x: 600,
      y: 30,
      w: 600,
      h: 400,
    });
  });

  it('is not made smaller than its program lets it be, and begins where it can be seen', () => {
    const fixed = { 'minimum-size': [900, 1000], 'maximum-size': [900, 1000] };
    expect(fitted({ x: 40, y: 40, w: 900, h: 1000 }, TITLED, fixed, ROOM)).toEqual({
      x: 40,
      y: 30,
      w: 900,
      h: 1000,
    });
  });

  it('has whole characters, as a terminal wants', () => {
    const cells = { 'base-size': [19, 4], increment: [6, 13], 'minimum-size': [25, 17] };
    const { w, h } = fitted({ x: 0, y: 30, w: 4219, h: 900 }, TITLED, cells, ROOM);
    expect([(w - 19) % 6, (h - 4) % 13]).toEqual([0, 0]);
    expect([w > 1200 - 6, w <= 1200, h > 730 - 13, h <= 730]).toEqual([true, true, true, true]);
  });
});

describe('a window that fills the stage', () => {
  it('takes all of it', () => {
    expect(filling({}, ROOM)).toEqual({ x: 0, y: 0, w: 1200, h: 760 });
    expect(filling({ 'minimum-size': [300, 900] }, ROOM)).toEqual({ x: 0, y: 0, w: 1200, h: 900 });
  });

  it('is none that cannot grow', () => {
    expect(filling({ 'maximum-size': [400, 300] }, ROOM)).toBeNull();
    expect(filling({ 'maximum-size': [400, 3000] }, ROOM)).toBeNull();
  });
});

it('a dialog is in the middle', () => {
  expect(centred({ x: 0, y: 0, w: 200, h: 100 }, ROOM)).toEqual({ x: 500, y: 330, w: 200, h: 100 });
});

describe('the stage', () => {
  it('is as large as the largest window that cannot be fitted', () => {
    const windows = [
      { ...TITLED, w: 900, h: 1000 },
      { ...BARE, w: 1300, h: 20 },
    ];
    expect(needed(windows, ROOM)).toEqual({ width: 1300, height: 1030 });
    expect(needed([], ROOM)).toEqual(ROOM);
  });
});
