/** Keeps the program's windows, and their buttons, within reach: watches for what changes their places. */
import { appear, arrange, arrangeAll, heed, keptOf, spread } from './arrange';
import type { XpraClientClass, XpraWindowClass } from './client';
import { wrap } from './methods';
import { agent } from './state';

/** In the client's own style a long title lies over the buttons of its window. */
const STYLE = `
.windowtitle { box-sizing: border-box; max-width: calc(100% - 115px); padding-right: 0; }
.qconnect-main { z-index: 100 !important; border: 0 !important; box-shadow: none !important; }
.qconnect-main > .windowhead, .qconnect-main > .ui-resizable-handle { display: none !important; }
html.qconnect-scrolls { overflow: auto !important; }
html.qconnect-scrolls > body { overflow: visible !important; }
`;
/** What of a window decides whether and how it may be placed. */
const DECISIVE = ['size-constraints', 'transient-for', 'modal', 'window-type', 'decorations'];

/** A built sheet needs no leave of the policy. */
export function dressWindows(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  document.adoptedStyleSheets.push(sheet);
}

/** A new window, and what program and server change, count; where the user drags a window, it stays. */
function watchWindow(Window: XpraWindowClass): void {
  wrap(Window, 'screen_resized', (self, _args, inner) => {
    const result = inner();
    keptOf(self).insisted = 0;
    arrange(self);
    return result;
  });
  wrap(Window, 'move_resize', (self, _args, inner) => {
    const result = inner();
    heed(self);
    return result;
  });
  wrap(Window, 'update_metadata', (self, args, inner) => {
    const result = inner();
    const known = agent.client?.id_to_window[String(self.wid)] === self; // else it is not built yet
    if (known && DECISIVE.some(name => name in (args[0] ?? {}))) {
      arrange(self);
    }
    return result;
  });
}

/** What the user does to a window by its frame. */
function watchHands(Window: XpraWindowClass): void {
  for (const name of ['handle_moved', 'handle_resized']) {
    wrap(Window, name, (self, args, inner) => {
      if (args[0]) {
        keptOf(self).wanted = null; // the user's own deed
      }
      const result = inner();
      spread();
      return result;
    });
  }
}

export function watchPlaces(Client: XpraClientClass, Window: XpraWindowClass | undefined): void {
  if (!Window) {
    return;
  }
  watchWindow(Window);
  watchHands(Window);
  wrap(Client, '_new_window_common', (self, args, inner) => {
    const result = inner();
    const win = self.id_to_window[String(args[0]?.[1])];
    if (win) {
      appear(win);
    }
    return result;
  });
  wrap(Client, '_process_lost_window', (_self, _args, inner) => {
    const result = inner();
    if (agent.fill) {
      arrangeAll(); // another one may be the main window now
    }
    spread();
    return result;
  });
  wrap(Client, '_screen_resized', (_self, _args, inner) => {
    const result = inner();
    spread();
    return result;
  });
}
