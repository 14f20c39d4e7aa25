// The dialog for what a login asks: a password, a code, whether a host key is right.

import { mark } from '../shared/log.js';
import { element } from '../shared/text.js';

/** An answer that has not been taken after this long may be given once more. */
const TAKEN_MS = 3000;

export class QuestionBox {
  /** @param {(answer: import("../types").QuestionAnswer) => void} send */
  constructor(send) {
    this.send = send;
    this.dialog = element('question', HTMLDialogElement);
    this.form = element('question-form', HTMLFormElement);
    this.node = element('question-node', HTMLElement);
    this.text = element('question-text', HTMLLabelElement);
    this.hint = element('question-hint', HTMLElement);
    this.input = element('question-answer', HTMLInputElement);
    this.yes = element('question-yes', HTMLButtonElement);
    this.no = element('question-no', HTMLButtonElement);
    this.told = element('question-told', HTMLElement);
    /** @type {import("../types").Question | null} */
    this.question = null;
    this.sentAt = -Infinity;
    this.form.addEventListener('submit', event => {
      event.preventDefault();
      this.answer(this.question?.confirm ? 'yes' : this.input.value);
    });
    this.no.addEventListener('click', () => {
      this.answer(this.question?.confirm ? 'no' : null);
    });
    this.dialog.addEventListener('cancel', event => {
      event.preventDefault(); // it closes when the server says that nothing is asked any more
      this.answer(null);
    });
    window.addEventListener('focus', () => setTimeout(() => this.enter()));
  }

  /** Whether something is asked. */
  get asking() {
    return this.question !== null;
  }

  /** @param {import("../types").Question | null} question what the server says is asked now */
  show(question) {
    if (question?.key !== this.question?.key) {
      this.question = question;
      if (question) {
        this.ask(question);
      } else {
        this.input.value = '';
        this.dialog.close();
      }
    } else if (question && this.busy && performance.now() - this.sentAt > TAKEN_MS) {
      this.setBusy(false);
    }
  }

  /** @param {import("../types").Question} question */
  ask(question) {
    mark('question', { confirm: question.confirm });
    this.node.textContent = question.node;
    this.text.textContent = question.text;
    this.hint.hidden = !question.confirm;
    this.input.value = '';
    this.input.hidden = question.confirm;
    this.yes.textContent = question.confirm ? 'Yes, it is the right one' : 'Answer';
    this.no.textContent = question.confirm ? 'No' : 'Cancel';
    this.open();
    this.setBusy(false);
  }

  /** Shows the dialog; one that is inert takes no focus from the page around, where the user may be typing. */
  open() {
    if (!this.dialog.open) {
      this.dialog.inert = !document.hasFocus();
      this.dialog.showModal();
      this.dialog.inert = false;
    }
  }

  /** The user has come in; where by a click, it has put the focus somewhere, or nowhere. */
  enter() {
    if (!this.form.contains(document.activeElement)) {
      this.focus();
    }
  }

  /** Puts the focus where the answer is given: a key pressed too early must not accept a host key. */
  focus() {
    if (this.question && document.hasFocus()) {
      (this.question.confirm ? this.no : this.input).focus();
    }
  }

  /** @param {string | null} text null: the user does not answer */
  answer(text) {
    if (this.question && !this.busy) {
      this.sentAt = performance.now();
      this.send({ key: this.question.key, text });
      this.input.value = ''; // a page must not keep what it has handed over
      this.setBusy(true);
    }
  }

  get busy() {
    return this.yes.disabled;
  }

  /** @param {boolean} on */
  setBusy(on) {
    this.yes.disabled = this.no.disabled = this.input.disabled = on;
    this.told.textContent = on ? 'Sent…' : '';
    if (!on) {
      this.focus();
    }
  }
}
