/** The dialog for what a login asks: a password, a code, whether a host key is right. */
import { mark } from '../core/marks';
import type { ILoginAnswer, ILoginQuestion } from '../core/models';
import type { ITrans } from '../core/trans';
import { element } from './element';

/** An answer that has not been taken after this long may be given once more. */
const TAKEN_MS = 3000;

export class QuestionDialog {
  constructor(
    private readonly _trans: ITrans,
    private readonly _send: (answer: ILoginAnswer) => void,
  ) {
    this._form.addEventListener('submit', event => {
      event.preventDefault();
      this._answer(this._question?.confirm ? 'yes' : this._input.value);
    });
    this._no.addEventListener('click', () => this._answer(this._question?.confirm ? 'no' : null));
    this._dialog.addEventListener('cancel', event => {
      event.preventDefault(); // it closes when the server says that nothing is asked any more
      this._answer(null);
    });
    window.addEventListener('focus', () => setTimeout(() => this._enter()));
  }

  /** Whether something is asked. */
  get asking(): boolean {
    return this._question !== null;
  }

  /** Shows what the server says is asked now. */
  show(question: ILoginQuestion | null): void {
    if (question?.key !== this._question?.key) {
      this._question = question;
      if (question) {
        this._ask(question);
      } else {
        this._input.value = '';
        this._dialog.close();
      }
    } else if (question && this._busy && performance.now() - this._sentAt > TAKEN_MS) {
      this._setBusy(false);
    }
  }

  private _ask(question: ILoginQuestion): void {
    const { confirm } = question;
    mark('question', { confirm });
    this._title.textContent = this._trans.__('Log in to %1', question.node);
    this._text.textContent = question.text;
    this._hint.hidden = !confirm;
    this._input.value = '';
    this._input.hidden = confirm;
    this._yes.textContent = confirm ? this._trans.__('Yes, it is the right one') : this._trans.__('Answer');
    this._no.textContent = confirm ? this._trans.__('No') : this._trans.__('Cancel');
    this._open();
    this._setBusy(false);
  }

  /** Shows the dialog; one that is inert takes no focus from the page around, where the user may be typing. */
  private _open(): void {
    if (!this._dialog.open) {
      this._dialog.inert = !document.hasFocus();
      this._dialog.showModal();
      this._dialog.inert = false;
    }
  }

  /** The user has come in; where by a click, it has put the focus somewhere, or nowhere. */
  private _enter(): void {
    if (!this._form.contains(document.activeElement)) {
      this._focus();
    }
  }

  /** Puts the focus where the answer is given: a key pressed too early must not accept a host key. */
  private _focus(): void {
    if (this._question && document.hasFocus()) {
      (this._question.confirm ? this._no : this._input).focus();
    }
  }

  /** `text` null: the user does not answer. */
  private _answer(text: string | null): void {
    if (this._question && !this._busy) {
      this._sentAt = performance.now();
      this._send({ key: this._question.key, text });
      this._input.value = ''; // a page must not keep what it has handed over
      this._setBusy(true);
    }
  }

  private get _busy(): boolean {
    return this._yes.disabled;
  }

  private _setBusy(on: boolean): void {
    this._yes.disabled = this._no.disabled = this._input.disabled = on;
    this._told.textContent = on ? this._trans.__('Sent…') : '';
    if (!on) {
      this._focus();
    }
  }

  private _question: ILoginQuestion | null = null;
  private _sentAt = -Infinity;
  private readonly _dialog = element('question', HTMLDialogElement);
  private readonly _form = element('question-form', HTMLFormElement);
  private readonly _title = element('question-title', HTMLElement);
  private readonly _text = element('question-text', HTMLLabelElement);
  private readonly _hint = element('question-hint', HTMLElement);
  private readonly _input = element('question-answer', HTMLInputElement);
  private readonly _yes = element('question-yes', HTMLButtonElement);
  private readonly _no = element('question-no', HTMLButtonElement);
  private readonly _told = element('question-told', HTMLElement);
}
