// What the viewer says in each phase.

import { STATE_WORDS, staleWords } from '../shared/text.js';

/**
 * @typedef {object} Saying
 * @property {string} title
 * @property {string} line
 * @property {string} note
 * @property {"busy" | "ended" | "failed"} tone
 *
 * @typedef {object} Situation
 * @property {boolean} linked
 * @property {string | null} lost
 * @property {number} attempts
 * @property {import("../types").Trouble | null} trouble
 */

const STAY = 'You can close this tab: the program starts all the same and waits for you.';
const NO_WINDOW = 'No window yet. Programs that are started in the terminal show theirs here.';
const KEPT = 'Nothing is lost: the program runs on without this page.';

/**
 * Why the display is not reached, when that is what the user waits for.
 * @param {import("./phase.js").Phase} phase
 * @param {Situation} state
 * @returns {import("../types").Trouble | null}
 */
export function troubled(phase, { trouble }) {
  return phase === 'connecting' || phase === 'reconnecting' ? trouble : null;
}

/**
 * @param {import("./phase.js").Phase} phase
 * @param {import("../types").Session | null} session
 * @param {Situation} state
 * @returns {Saying}
 */
export function saying(phase, session, state) {
  const title = session?.title ?? 'Session';
  if (phase === 'waiting') {
    return waiting(title, session);
  }
  if (phase === 'ended') {
    return ended(title, session);
  }
  if (phase === 'locked-out') {
    const note = `Log in again. ${KEPT}`;
    return { title, line: 'You are no longer logged in here.', note, tone: 'failed' };
  }
  const trouble = troubled(phase, state);
  if (phase === 'connecting' && session?.kind === 'terminal' && !trouble) {
    return { title, line: NO_WINDOW, note: `The terminal itself: qconnect ${session.id}`, tone: 'busy' };
  }
  const line = trouble?.message ?? busy(phase, state);
  return { title, line, note: phase === 'live' ? '' : KEPT, tone: 'busy' };
}

/**
 * @param {import("./phase.js").Phase} phase
 * @param {Situation} state
 */
function busy(phase, { linked, lost, attempts }) {
  if (phase === 'opening') {
    return linked ? 'Looking for the session…' : 'Waiting for the server…';
  }
  if (phase === 'connecting') {
    const again = 'The display does not answer yet. Trying again…';
    return attempts > 3 ? again : 'Opening the display…';
  }
  return phase === 'reconnecting' ? reconnecting(linked, lost) : '';
}

/**
 * @param {boolean} linked
 * @param {string | null} lost
 */
function reconnecting(linked, lost) {
  if (!linked) {
    return 'The server does not answer. Reconnecting…';
  }
  return lost === 'silent' ? 'The compute node does not answer. Reconnecting…' : 'Reconnecting…';
}

/**
 * @param {string} title
 * @param {import("../types").Session | null} session
 * @returns {Saying}
 */
function waiting(title, session) {
  const words = session ? STATE_WORDS[session.state] : 'Starting';
  const line = `${session?.reason ?? `${words}…`} ${staleWords(session?.stale_since)}`.trim();
  return { title, line, note: session?.state === 'ENDING' ? '' : STAY, tone: 'busy' };
}

/**
 * @param {string} title
 * @param {import("../types").Session | null} session
 * @returns {Saying}
 */
function ended(title, session) {
  const failed = session?.state === 'FAILED';
  const status = session?.exit_status;
  const reason = session?.reason ?? (failed ? 'The session failed.' : 'The session has ended.');
  const known = reason.includes('exit status');
  const note = status === null || status === undefined || known ? '' : `Exit status ${status}.`;
  return {
    title: failed ? `${title} did not run to its end` : `${title} has ended`,
    line: reason,
    note,
    tone: failed ? 'failed' : 'ended',
  };
}
