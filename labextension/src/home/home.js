// The home page: joins tiles, sessions and what the server says of them.

import { call } from '../shared/api.js';
import { mark } from '../shared/log.js';
import { element, isFinal } from '../shared/text.js';
import { showApps } from './apps.js';
import { splitCommand } from './argv.js';
import { offerQueues } from './queues.js';
import { SessionList } from './sessions.js';
import { Starter } from './start.js';

const BUSY_MS = 2000;
const QUIET_MS = 6000;

const problem = element('problem', HTMLElement);
const starter = new Starter();
/** The last failure of asking is taken back by the next answer; that of an action stays until the next action. */
let asking = '';

/** @param {string} text */
function complain(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

/** @param {unknown} error */
function words(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {string} text */
function announce(text) {
  element('announcer', HTMLElement).textContent = text;
}

const list = new SessionList({ end: askToEnd, forget, log: showLog }, announce);

/** @type {number | undefined} */
let timer;

async function look() {
  clearTimeout(timer);
  let pause = QUIET_MS;
  try {
    const found = /** @type {{sessions: import("../types").Session[]}} */ (await call('sessions'));
    list.show(found.sessions);
    const pending = found.sessions.some(({ state }) => state !== 'READY' && !isFinal(state));
    pause = pending ? BUSY_MS : QUIET_MS;
    if (asking && problem.textContent === asking) {
      complain('');
    }
    asking = '';
    mark('sessions', found.sessions.length);
  } catch (error) {
    asking = words(error);
    complain(asking);
    pause = BUSY_MS;
  }
  clearTimeout(timer);
  if (!document.hidden) {
    timer = setTimeout(() => void look(), pause);
  }
}

async function loadApps() {
  try {
    const found = /** @type {{apps: import("../types").App[]}} */ (await call('apps'));
    showApps(found.apps, choose);
  } catch (error) {
    element('no-apps', HTMLElement).textContent = words(error);
    setTimeout(() => void loadApps(), QUIET_MS);
  }
}

/**
 * @param {import("../types").App} app
 * @param {HTMLButtonElement} tile
 */
function choose(app, tile) {
  if (app.takes_command) {
    askCommand(app, tile);
  } else {
    void start(app, tile);
  }
}

/**
 * @param {import("../types").App} app
 * @param {HTMLButtonElement} tile
 * @param {string[]} [command]
 */
async function start(app, tile, command) {
  if (tile.getAttribute('aria-disabled') === 'true') {
    return;
  }
  tile.setAttribute('aria-disabled', 'true'); // not `disabled`: that would lose the keyboard's place
  complain('');
  announce(`Starting ${app.title}`);
  const outcome = await starter.start(app, command);
  tile.removeAttribute('aria-disabled');
  complain(outcome.problem);
  void look();
}

/** @type {{app: import("../types").App, tile: HTMLButtonElement} | null} */
let asked = null;

/**
 * @param {import("../types").App} app
 * @param {HTMLButtonElement} tile
 */
function askCommand(app, tile) {
  asked = { app, tile };
  element('command-title', HTMLElement).textContent = app.title;
  element('command-problem', HTMLElement).textContent = '';
  element('command-dialog', HTMLDialogElement).showModal();
  element('command', HTMLInputElement).focus();
}

/** @param {SubmitEvent} event */
function onCommand(event) {
  const command = splitCommand(element('command', HTMLInputElement).value);
  if (!asked || !command?.length) {
    event.preventDefault();
    element('command-problem', HTMLElement).textContent = command
      ? 'Write the command to start.'
      : 'A quotation mark is left open. Close it.';
    return;
  }
  void start(asked.app, asked.tile, command);
}

/** @type {import("../types").Session | null} */
let ending = null;

/** @param {import("../types").Session} session */
function askToEnd(session) {
  ending = session;
  element('end-title', HTMLElement).textContent = `End ${session.title} ${session.id}?`;
  element('end-problem', HTMLElement).textContent = '';
  element('end-dialog', HTMLDialogElement).showModal();
}

async function end() {
  const button = element('end-confirm', HTMLButtonElement);
  button.disabled = true;
  try {
    await call(`sessions/${ending?.id ?? ''}/stop`, { method: 'POST', data: {} });
    element('end-dialog', HTMLDialogElement).close();
    void look();
  } catch (error) {
    element('end-problem', HTMLElement).textContent = words(error);
  } finally {
    button.disabled = false;
  }
}

/** @param {import("../types").Session} session */
function forget(session) {
  call(`sessions/${session.id}`, { method: 'DELETE' })
    .then(look)
    .catch((/** @type {unknown} */ error) => {
      complain(words(error));
    });
}

/** @param {import("../types").Session} session */
function showLog(session) {
  const text = element('log-text', HTMLElement);
  element('log-title', HTMLElement).textContent = `Log of ${session.title} ${session.id}`;
  text.textContent = 'Loading…';
  element('log-dialog', HTMLDialogElement).showModal();
  call(`sessions/${session.id}/log`)
    .then(found => {
      const log = found && typeof found === 'object' && 'log' in found ? String(found.log) : '';
      text.textContent = log.trim() || 'The session wrote no log.';
      text.scrollTop = text.scrollHeight;
    })
    .catch((/** @type {unknown} */ error) => {
      text.textContent = words(error);
    });
}

for (const name of ['end-cancel', 'log-close', 'command-cancel']) {
  element(name, HTMLButtonElement).addEventListener('click', event => {
    if (event.target instanceof HTMLElement) {
      event.target.closest('dialog')?.close();
    }
  });
}
element('end-confirm', HTMLButtonElement).addEventListener('click', () => void end());
element('command-form', HTMLFormElement).addEventListener('submit', onCommand);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) {
    void look();
  }
});
offerQueues();
void loadApps();
void look();
