// Gives the keyboard to the program, and takes it back.

import { agent } from './page.js';
import { freshen } from './clipboard.js';
import { watchEntry } from './entry.js';
import { wrap } from './methods.js';
import { watchWork } from './work.js';

/**
 * The client's page takes the focus when it loads, also from the page around it, where the user may be typing: in
 * JupyterLab's terminal, say. Its scripts may only move a focus that is in this frame.
 */
function stayOut() {
  wrap(HTMLElement, 'focus', (_element, _args, inner) => (document.hasFocus() ? inner() : undefined));
}

export function takeKeyboard() {
  if (!agent.client || agent.readonly) {
    return;
  }
  agent.client.capture_keyboard = true;
  window.focus();
  document.getElementById('pasteboard')?.focus({ preventScroll: true });
  void freshen();
}

export function releaseKeyboard() {
  if (agent.client) {
    agent.client.capture_keyboard = false; // its own blur handler would take the focus back
  }
  if (document.activeElement instanceof HTMLElement) {
    document.activeElement.blur();
  }
}

/**
 * The client takes the focus back whenever its field loses it, also when the user went to the page around. Only once
 * the focus has arrived somewhere is it known where it went.
 * @param {FocusEvent} event
 */
function onBlur(event) {
  const { target } = event;
  if (!(target instanceof HTMLElement) || target.id !== 'pasteboard') {
    return;
  }
  event.stopImmediatePropagation();
  setTimeout(() => {
    if (document.hasFocus() && agent.client?.capture_keyboard) {
      target.focus({ preventScroll: true });
    }
  });
}

export function watchKeyboard() {
  stayOut();
  watchWork();
  window.addEventListener('blur', onBlur, true);
  window.addEventListener('focusout', onBlur, true);
  watchEntry(takeKeyboard, releaseKeyboard);
}
