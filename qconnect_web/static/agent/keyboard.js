// Gives the keyboard to the program, and takes it back.

import { agent, tell } from './page.js';
import { freshen } from './clipboard.js';
import { watchWork } from './work.js';

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

/** The way out for those without a mouse; before the client, which would send it to the program. @param {KeyboardEvent} event */
function onChord(event) {
  if (event.ctrlKey && event.altKey && event.shiftKey && event.code === 'KeyQ') {
    event.preventDefault();
    event.stopImmediatePropagation();
    releaseKeyboard();
    tell('chord');
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
  watchWork();
  window.addEventListener('blur', onBlur, true);
  window.addEventListener('focusout', onBlur, true);
  window.addEventListener('keydown', onChord, true);
  window.addEventListener(
    'pointerdown',
    () => {
      takeKeyboard(); // a click on a canvas does not bring the focus back from the page around
      tell('focus');
    },
    true,
  );
  window.addEventListener('focus', () => {
    takeKeyboard(); // before the page is told and says so: the first key may come at once
    tell('focus');
  });
}
