// Watches what the client draws: the evidence that something is shown.

import { agent, tell } from './page.js';
import { wrap } from './methods.js';

/** A program may be one colour: after this long a drawn window counts as shown. */
const PLAIN_MS = 400;

/**
 * Whether this part of a canvas, from its top left, has more than one colour; a large part is looked at in small. It is
 * drawn onto another: newer clients give theirs to a worker.
 * @param {HTMLCanvasElement} canvas
 * @param {number} partWidth
 * @param {number} partHeight
 */
export function colourful(canvas, partWidth, partHeight) {
  const width = Math.min(partWidth, 400);
  const height = Math.min(partHeight, 200);
  const probe = document.createElement('canvas');
  probe.width = width;
  probe.height = height;
  const context = probe.getContext('2d');
  if (!context) {
    return true;
  }
  context.drawImage(canvas, 0, 0, partWidth, partHeight, 0, 0, width, height);
  const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  return pixels.some(pixel => pixel !== pixels[0]);
}

/** @param {XpraWindowObject} win */
function shown(win) {
  if (agent.painted) {
    return;
  }
  agent.painted = true;
  const cls = win.metadata?.['class-instance'] ?? null;
  tell('painted', {
    w: win.canvas?.width,
    h: win.canvas?.height,
    cls,
    ms: Math.round(performance.now()),
  });
}

/** @param {XpraWindowObject} win */
function drawn(win) {
  if (agent.painted || !agent.draws || !win.canvas || win.canvas.width < 2) {
    return;
  }
  if (colourful(win.canvas, Math.min(win.canvas.width, 400), Math.min(win.canvas.height, 200))) {
    shown(win);
  } else {
    setTimeout(() => {
      shown(win);
    }, PLAIN_MS);
  }
}

/**
 * @param {new () => XpraClientObject} Client
 * @param {(new () => XpraWindowObject) | null} Window
 */
export function watchPainting(Client, Window) {
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
