/** One viewer decides on the size of the display; in the others the picture is scaled to fit. */
import type { IOwner } from '../core/models';

/** Width and height in CSS pixels. */
export type Extent = [width: number, height: number];

/** How a picture is put on a stage: centred, and never larger than life. */
export function fit(stage: Extent, picture: Extent): { scale: number; left: number; top: number } {
  const scale = Math.min(1, stage[0] / picture[0], stage[1] / picture[1]);
  return {
    scale,
    left: Math.max(0, Math.round((stage[0] - picture[0] * scale) / 2)),
    top: Math.max(0, Math.round((stage[1] - picture[1] * scale) / 2)),
  };
}

/** The style of a frame on a stage of this size; `decided`: the size that another viewer has decided on. */
export function frameStyle(
  own: Extent,
  decided: Extent | null,
): { width: string; height: string; transform: string } {
  if (!decided) {
    return { width: `${own[0]}px`, height: `${own[1]}px`, transform: '' };
  }
  const { scale, left, top } = fit(own, decided);
  const transform = `translate(${left}px, ${top}px) scale(${scale})`;
  return { width: `${decided[0]}px`, height: `${decided[1]}px`, transform };
}

export class Size {
  /** `viewer` is this tab's name; `changed` is called when the stage has another size. */
  constructor(stage: HTMLElement, viewer: string, changed: () => void) {
    this._stage = stage;
    this._viewer = viewer;
    new ResizeObserver(() => {
      this.apply();
      changed();
    }).observe(stage);
  }

  /** The stage's size, or null while nothing of it is shown. */
  get own(): Extent | null {
    const { clientWidth, clientHeight } = this._stage;
    return clientWidth && clientHeight && !document.hidden ? [clientWidth, clientHeight] : null;
  }

  /** Whether another viewer decides. */
  get guest(): boolean {
    return this._owner !== null && this._owner.viewer !== this._viewer;
  }

  setOwner(owner: IOwner | null): void {
    this._owner = owner;
    this.apply();
  }

  /** Sizes every frame on the stage: a frame of the owner's size makes its client ask for that size too. */
  apply(): void {
    const own = this.own;
    if (!own) {
      return; // hidden: the size stays, or the program would be squeezed to nothing
    }
    const decided = this.guest && this._owner ? this._owner.size : null;
    for (const frame of this._stage.querySelectorAll('iframe')) {
      Object.assign(frame.style, frameStyle(own, decided));
    }
  }

  private _owner: IOwner | null = null;
  private readonly _stage: HTMLElement;
  private readonly _viewer: string;
}
