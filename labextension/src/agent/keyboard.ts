/** Gives the keyboard to the program, and takes it back. */
import { wrap } from './methods';
import { agent } from './state';

export function takeKeyboard(): void {
  if (agent.client) {
    agent.client.capture_keyboard = true;
    window.focus();
    document.getElementById('pasteboard')?.focus({ preventScroll: true });
  }
}

export function releaseKeyboard(): void {
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
 */
function onBlur(event: FocusEvent): void {
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

/**
 * The client's page takes the focus when it loads, also from the page around it, where the user may be typing: in
 * JupyterLab's terminal, say. Its scripts may only move a focus that is in this frame.
 */
export function keepFocusInside(): void {
  wrap(HTMLElement, 'focus', (_element, _args, inner) => (document.hasFocus() ? inner() : undefined));
  window.addEventListener('blur', onBlur, true);
  window.addEventListener('focusout', onBlur, true);
}
