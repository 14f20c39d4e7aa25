/** Who has the keyboard, the program or the page; with it go view only and the full window. */
import { mark } from '../core/marks';
import type { ITrans } from '../core/trans';
import { element } from './element';
import type { Frames } from './frames';

/** Chromium's way to get the keys that it keeps for itself, on https; the types do not know it. */
type LockingNavigator = Navigator & { keyboard?: { lock(): Promise<void> } };

export interface IKeyboardWiring {
  frames: Frames;
  trans: ITrans;
  /** What is shown may differ now. */
  changed: () => void;
  announce: (text: string) => void;
}

export class Keyboard {
  constructor(private readonly _wiring: IKeyboardWiring) {
    element('bar', HTMLElement).addEventListener('focusin', () => this.give(false));
  }

  /** Whether the program has it. */
  get given(): boolean {
    return this._given;
  }

  /** Gives it to the program, or takes it back. */
  give(on: boolean): void {
    const { frames } = this._wiring;
    if (on && !frames.readonly) {
      this._given = true;
      frames.focus();
    } else if (this._given) {
      this._given = false;
      frames.current?.tell('release', {});
    }
    this._wiring.changed();
  }

  /** The program has just painted: typing goes to it, unless the user is at something else. */
  painted(): void {
    if (document.hasFocus() && !document.activeElement?.closest('#bar, dialog')) {
      this.give(true);
    }
  }

  /** The user came into the picture by mouse. */
  entered(): void {
    this._given = !this._wiring.frames.readonly;
    this._wiring.changed();
  }

  /** The chord was pressed in the program. */
  escaped(): void {
    const { announce, trans } = this._wiring;
    this._button.focus();
    this.give(false);
    announce(trans.__('The keyboard is back with the browser. Press Enter to type in the program again.'));
  }

  viewOnly(on: boolean): void {
    this.give(false);
    this._wiring.frames.setReadonly(on);
    this._shield.hidden = !on;
    mark('view-only', on);
  }

  async fullWindow(): Promise<void> {
    if (document.fullscreenElement) {
      await document.exitFullscreen();
      return;
    }
    try {
      await document.documentElement.requestFullscreen();
      await (navigator as LockingNavigator).keyboard?.lock(); // as top page: Ctrl+W and Esc go to the program
      mark('full-window');
    } catch (error) {
      mark('full-window', String(error)); // without the lock it is a full window all the same
    }
    this.give(true);
  }

  private _given = false;
  private readonly _shield = element('shield', HTMLElement);
  private readonly _button = element('keyboard', HTMLButtonElement);
}
