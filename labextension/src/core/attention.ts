/** Whether anybody looks: a page that nobody has looked at for long lets go of what keeps its server from being idle. */

export class Attention {
  /** `unseenS`: for how many seconds the page may be unseen; 0, or no number: for ever. */
  constructor(private readonly _unseenS: number) {}

  /** Whether the page is to be quiet: nothing goes to the server, by whatever way. */
  get resting(): boolean {
    return this._resting;
  }

  /** Notes whether anybody could see the page at this moment (milliseconds); whether `resting` has changed by that. */
  look(visible: boolean, now: number): boolean {
    this._unseenSince = visible ? null : (this._unseenSince ?? now);
    const before = this._resting;
    const unseen = this._unseenSince === null ? 0 : now - this._unseenSince;
    this._resting = this._unseenS > 0 && unseen >= 1000 * this._unseenS;
    return this._resting !== before;
  }

  private _resting = false;
  private _unseenSince: number | null = null;
}
