// Notices that the user is at work.

import { tell } from './page.js';

const WORK = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart', 'paste'];
const WORK_MS = 1000;

/** Tells, once a second at most, that the user is at work: what counts against stopping an idle server. */
export function watchWork() {
  let told = -Infinity;
  const onWork = (/** @type {Event} */ event) => {
    if (event.isTrusted && event.timeStamp - told > WORK_MS) {
      told = event.timeStamp;
      tell('input');
    }
  };
  for (const name of WORK) {
    window.addEventListener(name, onWork, { capture: true, passive: true });
  }
}
