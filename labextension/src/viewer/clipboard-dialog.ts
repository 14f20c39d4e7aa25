/** The clipboard by hand: for browsers that keep theirs closed, as all do on plain http. */
import type { ITrans } from '../core/trans';
import { browserClipboard } from './browser-clipboard';
import { element } from './element';
import type { ClientEvent } from './messages';

export class ClipboardDialog {
  /** `send` puts text on the program's clipboard. */
  constructor(trans: ITrans, send: (text: string) => void) {
    element('board-hint', HTMLElement).hidden = browserClipboard() !== undefined;
    element('board-close', HTMLButtonElement).addEventListener('click', () => this._dialog.close());
    element('board-send', HTMLButtonElement).addEventListener('click', () => {
      const text = this._in.value;
      send(text);
      // Where the browser's clipboard is open, the client would soon overwrite what was sent with what is there.
      void browserClipboard()
        ?.writeText(text)
        .catch(() => undefined);
      this._told.textContent = trans.__(
        'Sent. Paste it in the program, as with Ctrl+V or the middle button.',
      );
    });
  }

  /** Keeps what the program copied last. */
  hear({ name, data }: ClientEvent): void {
    if (name === 'copied') {
      this._out.value = data.text;
    }
  }

  open(): void {
    this._told.textContent = '';
    this._dialog.showModal();
    this._in.focus();
  }

  private readonly _dialog = element('board', HTMLDialogElement);
  private readonly _out = element('board-out', HTMLTextAreaElement);
  private readonly _in = element('board-in', HTMLTextAreaElement);
  private readonly _told = element('board-told', HTMLElement);
}
