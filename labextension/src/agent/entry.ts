/** Notices that the user comes into the frame and works there, and shows the way out. */
import { tell } from './page';

const WORK = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart', 'paste'];
const WORK_MS = 1000;

/** Tells, once a second at most, that the user is at work: what counts against stopping an idle server. */
export function watchWork(): void {
  watch(WORK, () => tell('input', {}));
  watch(['keydown'], () => tell('typed', {})); // what is asked about before the page goes
}

function watch(names: readonly string[], report: () => void): void {
  let told = -Infinity;
  const onWork = (event: Event): void => {
    if (event.isTrusted && event.timeStamp - told > WORK_MS) {
      told = event.timeStamp;
      report();
    }
  };
  for (const name of names) {
    window.addEventListener(name, onWork, { capture: true, passive: true });
  }
}

/** `take` gives the keyboard to the program, `release` takes it back. */
export function watchEntry(take: () => void, release: () => void): void {
  const enter = (): void => {
    take(); // before the page is told and says so: the first key may come at once
    tell('focus', {});
  };
  window.addEventListener('focus', enter);
  window.addEventListener('pointerdown', enter, true); // a click on a canvas does not bring the focus back
  window.addEventListener('keydown', event => onKey(event, release), true); // before the client, which would send it
}

/** The way out for those without a mouse. */
function onKey(event: KeyboardEvent, release: () => void): void {
  if (event.ctrlKey && event.altKey && event.shiftKey && event.code === 'KeyQ') {
    event.preventDefault();
    event.stopImmediatePropagation();
    release();
    tell('chord', {});
  }
}
