/** The bar above the picture: what runs, for how long, and the buttons. */
import { stopSession } from '../core/api';
import type { ISession } from '../core/models';
import { stateWords } from '../core/states';
import { duration, explain } from '../core/text';
import type { IContext } from './context';
import { element } from './element';
import type { Phase } from './phase';

/** The user is warned when less than this (seconds) is left of the session. */
const WARN_S = 600;

export interface IToolbarActions {
  /** Gives the keyboard to the program, or takes it back. */
  keyboard: () => void;
  viewOnly: (on: boolean) => void;
  fullWindow: () => void;
  clipboard: () => void;
  takeSize: () => void;
}

export interface IToolbarState {
  title: string;
  /** Whether the program has the keyboard. */
  keys: boolean;
  /** Whether another viewer decides on the size. */
  guest: boolean;
}

export class Toolbar {
  constructor(context: IContext, actions: IToolbarActions) {
    this._context = context;
    this._keyboard.addEventListener('click', actions.keyboard);
    this._full.addEventListener('click', actions.fullWindow);
    this._clipboard.addEventListener('click', actions.clipboard);
    this._size.addEventListener('click', actions.takeSize);
    this._view.addEventListener('click', () => {
      actions.viewOnly(this._view.getAttribute('aria-pressed') !== 'true');
    });
    this._full.hidden = !document.fullscreenEnabled;
    this._wireEnd();
  }

  render(phase: Phase, session: ISession | null, { title, keys, guest }: IToolbarState): void {
    const { trans } = this._context;
    const live = phase === 'live';
    this._root.dataset['phase'] = phase;
    this._title.textContent = title;
    this._state.textContent = session ? this._stateText(phase, session) : '';
    this._keyboardWords.textContent = live && keys ? trans.__('Release keyboard') : trans.__('Use keyboard');
    this._keyboard.dataset['held'] = String(live && keys);
    for (const button of [this._keyboard, this._view, this._clipboard]) {
      button.disabled = !live;
    }
    this._size.hidden = !(live && guest);
    this._end.hidden = !session || phase === 'ended' || session.state === 'ENDING';
    this._session = session?.id ?? '';
    this._renderLeft(session?.walltime_left ?? null);
  }

  showViewOnly(on: boolean): void {
    this._view.setAttribute('aria-pressed', String(on));
  }

  /** Says it to people who do not see the page. */
  announce(text: string): void {
    this._announcer.textContent = text;
  }

  private _stateText(phase: Phase, session: ISession): string {
    const { trans } = this._context;
    const words = phase === 'reconnecting' ? trans.__('Reconnecting') : stateWords(session.state, trans).word;
    const { node } = session.job;
    return node && session.state === 'READY' ? trans.__('%1 on %2', words, node) : words;
  }

  /** `left`: seconds until the session ends, null when that is not known. */
  private _renderLeft(left: number | null): void {
    this._left.hidden = left === null;
    if (left === null) {
      return;
    }
    const { trans } = this._context;
    const short = left < WARN_S;
    this._left.textContent = trans.__('%1 left', duration(left, trans));
    this._left.classList.toggle('short', short);
    if (short && !this._warned) {
      this._warned = true;
      this.announce(trans.__('The session ends in %1. Save your work.', duration(left, trans)));
    }
  }

  /** A question before the end: the one button here that can cost work. */
  private _wireEnd(): void {
    const dialog = element('end-dialog', HTMLDialogElement);
    const confirm = element('end-confirm', HTMLButtonElement);
    const problem = element('end-problem', HTMLElement);
    this._end.addEventListener('click', () => {
      problem.textContent = '';
      dialog.showModal();
    });
    element('end-cancel', HTMLButtonElement).addEventListener('click', () => dialog.close());
    confirm.addEventListener('click', () => {
      confirm.disabled = true;
      stopSession(this._context.server, this._session)
        .then(() => dialog.close())
        .catch((error: unknown) => {
          problem.textContent = explain(error, this._context.trans);
        })
        .finally(() => {
          confirm.disabled = false;
        });
    });
  }

  private _warned = false;
  private _session = '';
  private readonly _context: IContext;
  private readonly _root = element('bar', HTMLElement);
  private readonly _title = element('bar-title', HTMLElement);
  private readonly _state = element('bar-state', HTMLElement);
  private readonly _left = element('bar-left', HTMLElement);
  private readonly _keyboard = element('keyboard', HTMLButtonElement);
  private readonly _keyboardWords = element('keyboard-words', HTMLElement);
  private readonly _view = element('view-only', HTMLButtonElement);
  private readonly _full = element('full-window', HTMLButtonElement);
  private readonly _clipboard = element('clipboard', HTMLButtonElement);
  private readonly _size = element('take-size', HTMLButtonElement);
  private readonly _end = element('end-session', HTMLButtonElement);
  private readonly _announcer = element('announcer', HTMLElement);
}
