/** What the user is asked and told: all dialogs of the extension. */
import { Dialog, ReactWidget, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { createElement } from 'react';

import { explain } from '../core/text';
import { LaunchForm } from '../ui/launch-form';
import type { ILaunchFormOptions } from '../ui/use-launch-form';

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

/** Shows the launch form until it is closed. */
export async function showLaunchForm(options: Omit<ILaunchFormOptions, 'onClose'>): Promise<void> {
  return new Promise(resolve => {
    const onClose = (): void => {
      widget.dispose();
      resolve();
    };
    const widget = ReactWidget.create(createElement(LaunchForm, { ...options, onClose }));
    Widget.attach(widget, document.body);
  });
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
