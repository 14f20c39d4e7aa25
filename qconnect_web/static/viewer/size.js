// One viewer decides on the size of the display; in the others the picture is scaled to fit.

/**
 * @param {[number, number]} stage
 * @param {[number, number]} picture
 * @returns {{scale: number, left: number, top: number}} never larger than life
 */
export function fit(stage, picture) {
  const scale = Math.min(1, stage[0] / picture[0], stage[1] / picture[1]);
  return {
    scale,
    left: Math.max(0, Math.round((stage[0] - picture[0] * scale) / 2)),
    top: Math.max(0, Math.round((stage[1] - picture[1] * scale) / 2)),
  };
}

export class Size {
  /**
   * @param {HTMLElement} stage
   * @param {string} viewer
   * @param {() => void} changed the stage has another size
   */
  constructor(stage, viewer, changed) {
    this.stage = stage;
    this.viewer = viewer;
    /** @type {import("../types").Owner | null} */
    this.owner = null;
    new ResizeObserver(() => {
      this.apply();
      changed();
    }).observe(stage);
  }

  /** The stage's size in CSS pixels, or null while nothing of it is shown. @returns {[number, number] | null} */
  get own() {
    const { clientWidth, clientHeight } = this.stage;
    return clientWidth && clientHeight && !document.hidden ? [clientWidth, clientHeight] : null;
  }

  /** Whether another viewer decides. */
  get guest() {
    return this.owner !== null && this.owner.viewer !== this.viewer;
  }

  /** @param {import("../types").Owner | null} owner */
  setOwner(owner) {
    this.owner = owner;
    this.apply();
  }

  /** Sizes every frame on the stage: a frame of the owner's size makes its client ask for that size too. */
  apply() {
    const own = this.own;
    const frames = /** @type {NodeListOf<HTMLIFrameElement>} */ (this.stage.querySelectorAll('iframe'));
    for (const frame of frames) {
      const size = this.guest && this.owner ? this.owner.size : null;
      if (size && own) {
        const { scale, left, top } = fit(own, size);
        Object.assign(frame.style, {
          width: `${size[0]}px`,
          height: `${size[1]}px`,
          transform: `translate(${left}px, ${top}px) scale(${scale})`,
        });
      } else if (own) {
        Object.assign(frame.style, { width: `${own[0]}px`, height: `${own[1]}px`, transform: '' });
      }
      // Hidden: the size stays, or the program would be squeezed to nothing.
    }
  }
}
