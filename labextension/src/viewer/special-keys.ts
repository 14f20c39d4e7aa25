/** The drawer with keys that a browser, or the user's own desktop, keeps for itself. */
import { element } from './element';
import type { ICommands } from './messages';

export class SpecialKeys {
  /** `strike` sends one of them. */
  constructor(strike: (stroke: ICommands['strike']) => void) {
    this._button.addEventListener('click', () => this._show(this._drawer.hidden));
    this._drawer.addEventListener('keydown', event => {
      if (event.key === 'Escape') {
        this._show(false);
        this._button.focus();
      }
    });
    for (const key of this._drawer.querySelectorAll<HTMLButtonElement>('button')) {
      const { symbol = '', held = '' } = key.dataset;
      key.addEventListener('click', () => strike({ symbol, held: held.split(' ').filter(Boolean) }));
    }
  }

  /** Whether keys can be sent. */
  set live(on: boolean) {
    this._button.disabled = !on;
    if (!on) {
      this._show(false);
    }
  }

  private _show(on: boolean): void {
    this._drawer.hidden = !on;
    this._button.setAttribute('aria-expanded', String(on));
  }

  private readonly _button = element('keys', HTMLButtonElement);
  private readonly _drawer = element('keys-drawer', HTMLElement);
}
