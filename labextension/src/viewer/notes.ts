/** Short words at the edge of the picture, each until the user has read it, or wants it no more. */
import type { ITrans } from '../core/trans';
import { shown } from '../core/shown';
import type { ClientEvent } from './messages';
import { element } from './element';

export interface INote {
  /** Under what name the browser remembers that it is not wanted any more. */
  id: string;
  text: string;
  /** What the button says that has it never come again. */
  never: string;
}

/** What is to be said of something that the display tells; null when nothing is. */
function noteOf({ name, data }: ClientEvent, trans: ITrans): INote | null {
  if (name === 'mispasted') {
    return pastingNote(trans);
  }
  return name === 'untypable' ? untypableNote(trans, shown(data.text)) : null;
}

/** For who pressed in a terminal what pastes elsewhere. */
function pastingNote(trans: ITrans): INote {
  const text = trans.__(
    'In a terminal, Ctrl+Shift+V pastes and Ctrl+Shift+C copies: Ctrl+V and Ctrl+C are for the program inside.',
  );
  return { id: 'pasting', text, never: trans.__('Don’t show again') };
}

/** For who typed what cannot be, as the session is open elsewhere. */
function untypableNote(trans: ITrans, text: string): INote {
  const words = trans.__(
    '“%1” cannot be typed while another tab shows this session. Close the other tab, or paste the text.',
    text.slice(0, 20),
  );
  return { id: 'untypable', text: words, never: trans.__('Don’t show again') };
}

export class Notes {
  /** `closed` is called when the user is through with one. */
  constructor(
    private readonly _trans: ITrans,
    closed: () => void,
  ) {
    element('note-close', HTMLButtonElement).addEventListener('click', () => {
      this.hide();
      closed();
    });
    this._never.addEventListener('click', () => {
      remember(this._shown);
      this.hide();
      closed();
    });
  }

  /** Says what is to be said of something that the display tells. */
  hear(event: ClientEvent): void {
    this.show(noteOf(event, this._trans));
  }

  /** Whether notes of this name are wanted. */
  wanted(id: string): boolean {
    try {
      return localStorage.getItem(nameOf(id)) === null;
    } catch {
      return true; // a browser that keeps nothing
    }
  }

  show(note: INote | null): void {
    if (note && this.wanted(note.id)) {
      const { id, text, never } = note;
      this._shown = id;
      this._text.textContent = text;
      this._never.textContent = never;
      this._box.hidden = false;
    }
  }

  hide(): void {
    this._box.hidden = true;
  }

  private _shown = '';
  private readonly _box = element('note', HTMLElement);
  private readonly _text = element('note-text', HTMLElement);
  private readonly _never = element('note-never', HTMLButtonElement);
}

function nameOf(id: string): string {
  return `qconnect:never:${id}`;
}

function remember(id: string): void {
  try {
    localStorage.setItem(nameOf(id), '1');
  } catch {
    // a browser that keeps nothing: the note comes again
  }
}
