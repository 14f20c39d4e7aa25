/** Whoever sits before the page, as the heartbeats tell of them: each thing once. */
import type { Beat } from './live-socket';
import type { ClientEvent } from './messages';

export class Presence {
  constructor() {
    for (const name of ['pointerdown', 'keydown']) {
      window.addEventListener(name, () => (this._acted = true), { passive: true });
    }
  }

  /** What is done in the program counts as well. */
  hear({ name }: ClientEvent): void {
    this._acted ||= name === 'input';
  }

  /** Whether the next heartbeat asks to decide on the size. */
  claim(on: boolean): void {
    this._claims = on;
  }

  /** What the heartbeat that goes out now tells. */
  take(): Pick<Beat, 'focus' | 'input'> {
    const told = { focus: this._claims, input: this._acted };
    this._claims = this._acted = false;
    return told;
  }

  private _acted = false;
  private _claims = false;
}
