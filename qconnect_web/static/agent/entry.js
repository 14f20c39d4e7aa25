// Notices that the user comes into the frame, and shows the way out.

import { tell } from './page.js';

/**
 * @param {() => void} take gives the keyboard to the program
 * @param {() => void} release takes it back
 */
export function watchEntry(take, release) {
  const enter = () => {
    take(); // before the page is told and says so: the first key may come at once
    tell('focus');
  };
  window.addEventListener('focus', enter);
  window.addEventListener('pointerdown', enter, true); // a click on a canvas does not bring the focus back
  window.addEventListener('keydown', event => onKey(event, release), true); // before the client, which would send it
}

/**
 * The way out for those without a mouse.
 * @param {KeyboardEvent} event
 * @param {() => void} release
 */
function onKey(event, release) {
  if (event.ctrlKey && event.altKey && event.shiftKey && event.code === 'KeyQ') {
    event.preventDefault();
    event.stopImmediatePropagation();
    release();
    tell('chord');
  }
}
