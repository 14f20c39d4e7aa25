/** Where a window goes on the stage, and how large it is; all in CSS pixels, of the window without the frame around it. */
import type { IXpraWindow } from './client';

export interface IBox {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface IRoom {
  width: number;
  height: number;
}

type Side = 'w' | 'h';
type Frame = Pick<IXpraWindow, 'leftoffset' | 'rightoffset' | 'topoffset' | 'bottomoffset'>;
type Constraints = Readonly<Record<string, unknown>>;

function number(constraints: Constraints, name: string, side: Side): number {
  const pair = constraints[name];
  const value: unknown = Array.isArray(pair) ? pair[side === 'w' ? 0 : 1] : 0;
  return typeof value === 'number' && value > 0 ? value : 0;
}

/** The length nearest to `length`, and not above it where the program allows that, which the program takes. */
function allowed(length: number, constraints: Constraints, side: Side): number {
  const least = number(constraints, 'minimum-size', side);
  const most = number(constraints, 'maximum-size', side) || Infinity;
  const step = number(constraints, 'increment', side) || 1;
  const base = number(constraints, 'base-size', side) || least;
  const bounded = Math.max(least, Math.min(length, most));
  return bounded > base ? base + Math.floor((bounded - base) / step) * step : bounded;
}

/** One side's place: inside as a whole if it fits, else from the start; `before` and `after` are the frame's widths. */
function inside(place: number, length: number, before: number, after: number, room: number): number {
  return Math.max(before, Math.min(place, room - length - after));
}

/** The window as it is wanted, as far as there is room for it: no larger than the stage, and within it. */
export function fitted(wanted: IBox, frame: Frame, constraints: Constraints, room: IRoom): IBox {
  const [across, down] = [frame.leftoffset + frame.rightoffset, frame.topoffset + frame.bottomoffset];
  const w = wanted.w + across > room.width ? allowed(room.width - across, constraints, 'w') : wanted.w;
  const h = wanted.h + down > room.height ? allowed(room.height - down, constraints, 'h') : wanted.h;
  return {
    x: inside(wanted.x, w, frame.leftoffset, frame.rightoffset, room.width),
    y: inside(wanted.y, h, frame.topoffset, frame.bottomoffset, room.height),
    w,
    h,
  };
}

/** The window as the whole stage; null when the program does not let it grow so large. */
export function filling(constraints: Constraints, room: IRoom): IBox | null {
  for (const [side, length] of [
    ['w', room.width],
    ['h', room.height],
  ] as const) {
    const most = number(constraints, 'maximum-size', side);
    if (most && most < length) {
      return null;
    }
  }
  const [w, h] = [allowed(room.width, constraints, 'w'), allowed(room.height, constraints, 'h')];
  return { x: 0, y: 0, w, h };
}

/** The window in the middle of the stage. */
export function centred(box: IBox, room: IRoom): IBox {
  return { ...box, x: Math.round((room.width - box.w) / 2), y: Math.round((room.height - box.h) / 2) };
}

/** How large the stage must be for all these windows, which are no smaller than their programs let them be. */
export function needed(windows: readonly (Frame & Pick<IXpraWindow, 'w' | 'h'>)[], room: IRoom): IRoom {
  return {
    width: Math.max(
      room.width,
      ...windows.map(({ w, leftoffset, rightoffset }) => w + leftoffset + rightoffset),
    ),
    height: Math.max(
      room.height,
      ...windows.map(({ h, topoffset, bottomoffset }) => h + topoffset + bottomoffset),
    ),
  };
}
