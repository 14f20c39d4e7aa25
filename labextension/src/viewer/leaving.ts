/** Asks before a key, or the tab's own button, takes the page away from somebody who is typing in its program. */
import type { ITrans } from '../core/trans';
import type { ClientEvent } from './messages';
import type { Notes } from './notes';

const NAME = 'leaving';
/** So long (ms) after a key somebody counts as typing. */
const TYPING_MS = 60_000;

export class Leaving {
  /** `live`: whether there is a program on the page. */
  constructor(
    private readonly _trans: ITrans,
    private readonly _notes: Notes,
    private readonly _live: () => boolean,
  ) {
    window.addEventListener('beforeunload', event => this._ask(event));
  }

  hear({ name }: ClientEvent): void {
    if (name === 'typed') {
      this._typed = performance.now();
    }
  }

  /** The browser asks in its own words; what those do not say is said when the user has stayed. */
  private _ask(event: Event): void {
    const typing = performance.now() - this._typed < TYPING_MS;
    if (!typing || !this._live() || !this._notes.wanted(NAME)) {
      return;
    }
    event.preventDefault();
    setTimeout(() =>
      this._notes.show({
        id: NAME,
        text: this._trans.__(
          'Leaving this page ends nothing: the program runs on, and you find it again under All sessions. Keys that the browser keeps for itself, such as Ctrl+W, are under Keys.',
        ),
        never: this._trans.__('Don’t ask again'),
      }),
    );
  }

  private _typed = -Infinity;
}
