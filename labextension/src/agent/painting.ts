/** Watches what the client draws: the evidence that something is shown. */
import type { IXpraWindow, XpraClientClass, XpraWindowClass } from './client';
import { colourful, PLAIN_MS } from './colours';
import { wrap } from './methods';
import { tell } from './page';
import { agent } from './state';

function shown(win: IXpraWindow): void {
  if (agent.painted) {
    return;
  }
  agent.painted = true;
  const cls = win.metadata?.['class-instance'] ?? null;
  const { width: w = null, height: h = null } = win.canvas ?? {};
  tell('painted', { w, h, cls, ms: Math.round(performance.now()) });
}

function drawn(win: IXpraWindow): void {
  if (agent.painted || !agent.draws || !win.canvas || win.canvas.width < 2) {
    return;
  }
  if (colourful(win.canvas, Math.min(win.canvas.width, 400), Math.min(win.canvas.height, 200))) {
    shown(win);
  } else {
    setTimeout(() => shown(win), PLAIN_MS);
  }
}

export function watchPainting(Client: XpraClientClass, Window: XpraWindowClass | undefined): void {
  wrap(Client, '_process_draw', (_self, args, inner) => {
    const data = args[0]?.[7];
    agent.draws++;
    agent.bytes += data instanceof Uint8Array || typeof data === 'string' ? data.length : 0;
    return inner();
  });
  if (Window) {
    wrap(Window, 'draw', (self, _args, inner) => {
      const result = inner();
      drawn(self);
      return result;
    });
  }
}
