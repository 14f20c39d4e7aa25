/** The hidden field into which the user types. */

/** What a phone's Backspace finds before the caret: in an empty field it says nothing. */
const BAIT = ' \u200b';

const DRESS = {
  position: 'fixed',
  left: '0',
  top: '0',
  width: '1px',
  height: '1.2em',
  padding: '0',
  border: '0',
  opacity: '0',
  resize: 'none',
  overflow: 'hidden',
  pointerEvents: 'none',
  zIndex: '-1',
};

/** How far (px) from the edge it stays, so that nothing scrolls to it. */
const MARGIN = 20;

/** Nothing of it is seen, the browser corrects nothing in it, and it follows the pointer. */
export function dressField(field: HTMLTextAreaElement): void {
  for (const name of ['autocapitalize', 'autocorrect', 'autocomplete']) {
    field.setAttribute(name, 'off');
  }
  field.spellcheck = false;
  Object.assign(field.style, DRESS);
  for (const name of ['pointermove', 'pointerdown'] as const) {
    window.addEventListener(name, event => follow(field, event), { capture: true, passive: true });
  }
  emptyField(field);
}

/** Takes out what the browser has put in, once it is through with it. */
export function emptyField(field: HTMLTextAreaElement): void {
  const bait = matchMedia('(pointer: coarse)').matches ? BAIT : '';
  setTimeout(() => {
    field.value = bait;
    field.setSelectionRange(bait.length, bait.length);
  });
}

/** Input methods show their candidates where the field is. */
function follow({ style }: HTMLTextAreaElement, { clientX, clientY }: PointerEvent): void {
  style.left = `${Math.max(0, Math.min(clientX, innerWidth - MARGIN))}px`;
  style.top = `${Math.max(0, Math.min(clientY, innerHeight - MARGIN))}px`;
}
