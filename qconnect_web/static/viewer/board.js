// The clipboard by hand: for browsers that keep theirs closed, as all do on plain http.

import { element } from '../shared/text.js';

/** @returns {Clipboard | undefined} there is none without a secure context, whatever the types say */
function clipboard() {
  return navigator.clipboard;
}

export class Board {
  /** @param {(text: string) => void} send puts text on the program's clipboard */
  constructor(send) {
    this.dialog = element('board', HTMLDialogElement);
    this.out = element('board-out', HTMLTextAreaElement);
    this.in = element('board-in', HTMLTextAreaElement);
    this.told = element('board-told', HTMLElement);
    this.hint = element('board-hint', HTMLElement);
    this.hint.hidden = Board.automatic;
    element('board-close', HTMLButtonElement).addEventListener('click', () => this.dialog.close());
    element('board-send', HTMLButtonElement).addEventListener('click', () => {
      const text = this.in.value;
      send(text);
      // Where the browser's clipboard is open, the client would soon overwrite what was sent with what is there.
      void clipboard()
        ?.writeText(text)
        .catch(() => undefined);
      this.told.textContent = 'Sent. Paste it in the program, as with Ctrl+V or the middle button.';
    });
  }

  /** Whether this browser lets the page use its clipboard at all. */
  static get automatic() {
    return clipboard() !== undefined;
  }

  /** @param {string} text what the program copied last */
  copied(text) {
    this.out.value = text;
  }

  open() {
    this.told.textContent = '';
    this.dialog.showModal();
    this.in.focus();
  }
}
