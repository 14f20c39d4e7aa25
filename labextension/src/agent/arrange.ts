/** Puts the program's windows where they belong: within the stage, or as the whole of it. */
import type { IXpraWindow } from './client';
import { centred, filling, fitted, needed, type IBox, type IRoom } from './placement';
import { agent } from './state';

/** A frame that is smaller than this in either direction is not shown: nothing is moved for it. */
const MIN_SCREEN = 64;
/** So often a program may give a window another size than it has here before that is left to it. */
const INSISTS = 5;

interface IKept {
  /** How the program or the user wants it, when it is otherwise for want of room, or fills the stage. */
  wanted: IBox | null;
  /** The height of its title bar, while it is taken off. */
  head: number | null;
  /** How often the program gave it another size since the stage has its own. */
  insisted: number;
}

const kept = new WeakMap<IXpraWindow, IKept>();

export function keptOf(win: IXpraWindow): IKept {
  const found = kept.get(win) ?? { wanted: null, head: null, insisted: 0 };
  kept.set(win, found);
  return found;
}

/** What can be seen of the stage at once. */
function view(): IRoom {
  return { width: window.innerWidth, height: window.innerHeight };
}

function all(): IXpraWindow[] {
  return Object.values(agent.client?.id_to_window ?? {}).filter(win => win !== undefined);
}

function constraints(win: IXpraWindow): Record<string, unknown> {
  const found = win.metadata?.['size-constraints'];
  return typeof found === 'object' && found !== null ? { ...found } : {};
}

function type(win: IXpraWindow): unknown {
  const found = win.metadata?.['window-type'];
  return Array.isArray(found) ? found[0] : found;
}

function isDialog({ metadata }: IXpraWindow): boolean {
  return Boolean(metadata?.['transient-for']) || Boolean(metadata?.['modal']);
}

/** Whether its place is ours to decide. */
function movable(win: IXpraWindow): boolean {
  const { client } = agent;
  const { width, height } = view();
  const theirs = [agent.readonly, client?.server_is_desktop, client?.server_is_shadow];
  const own = [win.override_redirect, win.tray, win.fullscreen];
  const known = client !== null && win.updateCSSGeometry !== undefined && Boolean(win.geometry_cb);
  return known && ![...theirs, ...own].some(Boolean) && Math.min(width, height) >= MIN_SCREEN;
}

/** The window that fills the stage: the first that is no dialog and can be so large; `win` may be on its way only. */
function mainWindow(win: IXpraWindow): IXpraWindow | undefined {
  const candidates = agent.fill ? [...all(), win] : [];
  return candidates.find(
    item =>
      movable(item) &&
      !isDialog(item) &&
      [undefined, '', 'NORMAL'].includes(type(item) as string | undefined) &&
      Math.min(item.w, item.h) > 1 &&
      filling(constraints(item), view()),
  );
}

/** Takes the title bar off, or puts it on again. */
function dress(win: IXpraWindow, main: boolean): void {
  const own = keptOf(win);
  document.getElementById(String(win.wid))?.classList.toggle('qconnect-main', main);
  if (main) {
    own.head ??= win.topoffset;
    win.topoffset = 0;
  } else if (own.head !== null) {
    win.topoffset = own.head;
    own.head = null;
  }
}

function put(win: IXpraWindow, box: IBox): void {
  const moved = win.x !== box.x || win.y !== box.y || win.w !== box.w || win.h !== box.h;
  Object.assign(win, box);
  win.updateCSSGeometry?.();
  if (moved) {
    win.geometry_cb?.(win);
  }
}

/** Puts the window where it belongs, now that it, or the stage, has changed. */
export function arrange(win: IXpraWindow): void {
  const main = movable(win) && mainWindow(win) === win;
  if (!movable(win) || (win.maximized && !main)) {
    return;
  }
  dress(win, main);
  const own = keptOf(win);
  const wanted = own.wanted ?? { x: win.x, y: win.y, w: win.w, h: win.h };
  const filled = main ? filling(constraints(win), view()) : null;
  const box = filled ?? fitted(wanted, win, constraints(win), view());
  const same = box.x === wanted.x && box.y === wanted.y && box.w === wanted.w && box.h === wanted.h;
  own.wanted = same ? null : wanted;
  put(win, box);
}

export function arrangeAll(): void {
  all().forEach(arrange);
}

/** A window is there for the first time: a dialog of a program that fills the stage is over its middle. */
export function appear(win: IXpraWindow): void {
  if (agent.fill && isDialog(win)) {
    keptOf(win).wanted = centred({ x: win.x, y: win.y, w: win.w, h: win.h }, view());
  }
  arrange(win);
  spread();
}

/** The program gave the window another place or size. */
export function heed(win: IXpraWindow): void {
  const own = keptOf(win);
  own.wanted = null;
  if (own.insisted++ < INSISTS) {
    arrange(win);
  }
  spread();
}

/** Makes the stage so large, with bars to scroll by, that every window has room: what lies beyond no click reaches. */
export function spread(): void {
  const { client } = agent;
  const stage = client?.container;
  if (!client || !stage || client.server_is_desktop || client.server_is_shadow) {
    return;
  }
  const [room, floating] = [
    view(),
    all().filter(win => !win.override_redirect && !win.tray && !win.fullscreen),
  ];
  const { width, height } = needed(floating, room);
  const minWidth = width > room.width ? `${width}px` : '';
  const minHeight = height > room.height ? `${height}px` : '';
  if (stage.style.minWidth !== minWidth || stage.style.minHeight !== minHeight) {
    Object.assign(stage.style, { minWidth, minHeight });
    document.documentElement.classList.toggle('qconnect-scrolls', Boolean(minWidth || minHeight));
    client._screen_resized?.(null, client);
  }
}
