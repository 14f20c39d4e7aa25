/** Keeps the program's windows, and their buttons, within reach. */
import type { IXpraWindow, XpraWindowClass } from './client';
import { wrap } from './methods';
import { agent } from './state';

/** A frame that is smaller than this in either direction is not shown: nothing is moved for it. */
const MIN_SCREEN = 64;

/** In the client's own style a long title lies over the buttons of its window. A built sheet needs no leave of the policy. */
export function shortenTitles(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    '.windowtitle { box-sizing: border-box; max-width: calc(100% - 115px); padding-right: 0; }',
  );
  document.adoptedStyleSheets.push(sheet);
}

/**
 * Where one side of a window goes: inside as a whole if it fits, else from the start; `before` and `after` are the
 * widths of the frame around it on this side and on the other.
 */
function inside(place: number, length: number, before: number, after: number, screen: number): number {
  return Math.max(before, Math.min(place, screen - length - after));
}

function moveIn(win: IXpraWindow): void {
  const { client } = agent;
  const [width, height] = [client?.desktop_width ?? 0, client?.desktop_height ?? 0];
  const fixed = [win.override_redirect, win.fullscreen, win.maximized].some(Boolean);
  if (!client || agent.readonly || fixed || client.server_is_desktop || client.server_is_shadow) {
    return;
  }
  if (Math.min(width, height) < MIN_SCREEN || !win.updateCSSGeometry || !win.geometry_cb) {
    return;
  }
  const x = inside(win.x, win.w, win.leftoffset, win.rightoffset, width);
  const y = inside(win.y, win.h, win.topoffset, win.bottomoffset, height);
  if (x !== win.x || y !== win.y) {
    [win.x, win.y] = [x, y];
    win.updateCSSGeometry();
    win.geometry_cb(win);
  }
}

/**
 * A window that was placed on a larger screen would keep 10 pixels of itself on this one (Window.js, ensure_visible). A
 * new window and a new size of the screen count; where the user drags a window, it stays.
 */
export function watchPlaces(Window: XpraWindowClass | undefined): void {
  if (Window) {
    wrap(Window, 'screen_resized', (self, _args, inner) => {
      const result = inner();
      moveIn(self);
      return result;
    });
  }
}
