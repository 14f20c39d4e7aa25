// The VNC client's page: speaks with the viewer around it as the agent of xpra's client does (agent/page.js).

import { readBrowser } from '../agent/clipboard.js';
import { watchEntry } from '../agent/entry.js';
import { obey, takeParameters, tell } from '../agent/page.js';
import { watchWork } from '../agent/work.js';
import { Desktop } from './desktop.js';

const LIMIT = 1 << 20;

/** The text that both clipboards last had in common. */
let held = '';

/** @param {string} text the desktop's clipboard, now the browser's as well where it lets us */
function copied(text) {
  held = text;
  tell('copied', { text: text.slice(0, LIMIT) });
  // Without a secure context there is none, whatever the types say.
  const board = /** @type {Clipboard | undefined} */ (navigator.clipboard);
  void board?.writeText(text).catch(() => undefined); // no permission, or no focus: there is the box for it
}

/** Puts text on the desktop's clipboard. @param {string} text */
function offer(text) {
  if (!desktop.readonly) {
    held = text;
    desktop.rfb?.clipboardPasteFrom(text);
  }
}

/** What was copied elsewhere is offered when the user comes back. */
async function freshen() {
  const text = desktop.connected && !desktop.readonly ? await readBrowser() : null;
  if (text && text !== held) {
    offer(text);
  }
}

function takeKeyboard() {
  if (!desktop.readonly) {
    window.focus();
    desktop.rfb?.focus({ preventScroll: true });
    void freshen();
  }
}

function releaseKeyboard() {
  desktop.rfb?.blur();
}

/** @type {Parameters<typeof obey>[0]} */
const commands = {
  go: () => desktop.connect(),
  ping: () => desktop.ping(),
  focus: takeKeyboard,
  release: releaseKeyboard,
  readonly: data => {
    desktop.setReadonly(Boolean(data.on));
    if (data.on) {
      releaseKeyboard();
    }
  },
  suspend: data => desktop.suspend(Boolean(data.on)),
  paste: data => offer(String(data.text)),
};

const desktop = new Desktop(
  /** @type {HTMLElement} */ (document.getElementById('desktop')),
  takeParameters().get('path') ?? '/',
  copied,
);
watchWork();
watchEntry(takeKeyboard, releaseKeyboard);
obey(commands);
window.addEventListener('error', event => {
  if (!event.message.startsWith('ResizeObserver loop')) {
    tell('error', { message: event.message.slice(0, 200) }); // that one only says: once more in the next frame
  }
});
document.addEventListener('securitypolicyviolation', event => {
  tell('csp', { what: `${event.violatedDirective} ${event.sourceFile.slice(-40)}:${event.lineNumber}` });
});
tell('loaded', { version: 'noVNC' });
