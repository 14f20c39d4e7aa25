// What the user does around the picture: keyboard, view only, full window, and the JupyterLab panel around us.

import { mark } from '../shared/log.js';
import { element } from '../shared/text.js';

/**
 * @typedef {object} Wiring
 * @property {import("./display.js").Display} display
 * @property {() => void} changed what is shown may differ now
 * @property {() => void} looked whether anybody can see us may differ now
 * @property {(text: string) => void} announce
 */

export class Controls {
  /** @param {Wiring} wiring */
  constructor(wiring) {
    this.wiring = wiring;
    this.shield = element('shield', HTMLElement);
    this.button = element('keyboard', HTMLButtonElement);
    /** Whether the program has the keyboard. */
    this.keys = false;
    this.parentHidden = false;
    element('bar', HTMLElement).addEventListener('focusin', () => {
      this.setKeys(false);
    });
    window.addEventListener('message', event => {
      if (event.source === window.parent && event.source !== window && ours(event)) {
        this.hearParent(event.data);
      }
    });
  }

  /** Whether anybody could see the picture. */
  get visible() {
    return !document.hidden && !this.parentHidden;
  }

  /** @param {boolean} on whether the program gets the keyboard */
  setKeys(on) {
    const { display } = this.wiring;
    if (on && !display.readonly) {
      this.keys = true;
      display.focus();
    } else if (this.keys) {
      this.keys = false;
      display.current?.tell('release');
    }
    this.wiring.changed();
  }

  /** The program has just painted: typing goes to it, unless the user is at something else. */
  painted() {
    if (document.hasFocus() && !document.activeElement?.closest('#bar, dialog')) {
      this.setKeys(true);
    }
  }

  /** The user came into the picture by mouse. */
  entered() {
    this.keys = !this.wiring.display.readonly;
    this.tellParent({ qconnect: 'focus' });
    this.wiring.changed();
  }

  /** The chord was pressed in the program. */
  escaped() {
    this.button.focus();
    this.setKeys(false);
    this.wiring.announce('The keyboard is back with the browser. Press Enter to type in the program again.');
  }

  /** @param {boolean} on */
  viewOnly(on) {
    this.setKeys(false);
    this.wiring.display.setReadonly(on);
    this.shield.hidden = !on;
    mark('view-only', on);
  }

  async fullWindow() {
    if (document.fullscreenElement) {
      await document.exitFullscreen();
      return;
    }
    try {
      await document.documentElement.requestFullscreen();
      await navigator.keyboard?.lock(); // Chromium, top page, https: Ctrl+W and Esc go to the program
      mark('full-window');
    } catch (error) {
      mark('full-window', String(error)); // without the lock it is a full window all the same
    }
    this.setKeys(true);
  }

  /** @param {unknown} message */
  hearParent(message) {
    const word = message && typeof message === 'object' && 'qconnect' in message && message.qconnect;
    if (word === 'hidden' || word === 'shown') {
      this.parentHidden = word === 'hidden';
      this.wiring.looked();
    }
  }

  /** @param {Record<string, string>} message */
  tellParent(message) {
    if (window.parent !== window) {
      window.parent.postMessage(message, location.origin);
    }
  }
}

/** @param {MessageEvent} event */
function ours(event) {
  return event.origin === location.origin;
}
