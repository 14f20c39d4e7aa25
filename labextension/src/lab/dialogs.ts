/** What the user is asked and told: all dialogs of the extension. */
import { Dialog, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { argvOf } from '../core/argv';
import type { IApp } from '../core/models';
import { explain } from '../core/text';

/** Tells that an app did not start, and why. */
export async function tellNotStarted(title: string, error: unknown, trans: TranslationBundle): Promise<void> {
  await showErrorMessage(trans.__('%1 was not started', title), explain(error, trans), [
    Dialog.okButton({ label: trans.__('Close') }),
  ]);
}

/** Tells that something about a session did not work, and why. */
export async function tellFailure(error: unknown, trans: TranslationBundle): Promise<void> {
  await showErrorMessage(trans.__('QConnect'), explain(error, trans), [
    Dialog.okButton({ label: trans.__('Close') }),
  ]);
}

/** One line of text, as wide as the dialog: JupyterLab's own field holds 20 characters. */
class CommandField extends Widget implements Dialog.IBodyWidget {
  constructor(label: string, text: string, placeholder: string) {
    super();
    const words = document.createElement('label');
    this._field = document.createElement('input');
    this._field.className = 'jp-mod-styled jp-qconnect-command';
    this._field.spellcheck = false;
    this._field.value = text;
    this._field.placeholder = placeholder;
    words.append(label, this._field);
    this.node.append(words);
  }

  getValue(): string {
    return this._field.value;
  }

  private readonly _field: HTMLInputElement;
}

/** Asks for the command of an app that takes one; null when the user thinks better of it. */
export async function askCommand(app: IApp, trans: TranslationBundle): Promise<string[] | null> {
  let text = '';
  let label = trans.__('Command, as you would type it in a terminal:');
  for (;;) {
    const answer = await showDialog({
      title: app.title,
      body: new CommandField(label, text, trans.__('for example xclock -digital')),
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Start') })],
      focusNodeSelector: 'input',
    });
    if (!answer.button.accept || answer.value === null) {
      return null;
    }
    try {
      return argvOf(answer.value);
    } catch (error) {
      text = answer.value;
      label = complaint(error, trans);
    }
  }
}

function complaint(error: unknown, trans: TranslationBundle): string {
  return error instanceof RangeError && error.message === 'open-quote'
    ? trans.__('A quotation mark is left open. Close it:')
    : trans.__('Type a command, as you would in a terminal:');
}

/** Asks before a program is ended. */
export async function confirmStop(title: string, id: string, trans: TranslationBundle): Promise<boolean> {
  const answer = await showDialog({
    title: trans.__('Stop %1?', title),
    body: trans.__('This ends the program and its job %1. Unsaved work in it is lost.', id),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Keep it running') }),
      Dialog.warnButton({ label: trans.__('Stop') }),
    ],
  });
  return answer.button.accept;
}

/** Offers the page as a link, when the browser did not let a tab open. */
export async function offerLink(title: string, url: string, trans: TranslationBundle): Promise<void> {
  const body = new Widget();
  const text = document.createElement('p');
  text.textContent = trans.__('Your browser did not let a new tab open. Open it here:');
  const link = document.createElement('a');
  link.href = url;
  link.target = '_blank';
  link.rel = 'noopener';
  link.className = 'jp-mod-styled jp-qconnect-link';
  link.textContent = trans.__('Open %1 in a new tab', title);
  body.node.append(text, link);
  const dialog = new Dialog({
    title,
    body,
    buttons: [Dialog.cancelButton({ label: trans.__('Close') })],
    focusNodeSelector: 'a',
  });
  link.addEventListener('click', () => {
    dialog.reject();
  });
  await dialog.launch();
}
