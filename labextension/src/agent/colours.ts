/** Tells a canvas that shows something from one that is still empty. */

/** What is shown may be of one colour: after this long (ms) a drawn window or a connected desktop counts as shown. */
export const PLAIN_MS = 400;

/**
 * Whether this part of a canvas, from its top left, has more than one colour; a large part is looked at in small. It is
 * drawn onto another: newer clients give theirs to a worker.
 */
export function colourful(canvas: HTMLCanvasElement, partWidth: number, partHeight: number): boolean {
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
