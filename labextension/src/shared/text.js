// Puts numbers and states into words.

/** States in words, for people. */
/** @type {Record<import("../types").SessionState, string>} */
export const STATE_WORDS = {
  QUEUED: 'Waiting in the queue',
  HELD: 'Held',
  STARTING: 'Starting',
  READY: 'Running',
  SUSPENDED: 'Paused by the scheduler',
  ENDING: 'Ending',
  ENDED: 'Ended',
  FAILED: 'Failed',
  UNREACHABLE: 'Not heard of',
};

/** @param {import("../types").SessionState} state */
export function isFinal(state) {
  return state === 'ENDED' || state === 'FAILED';
}

/**
 * `0:42`, `12:05`, `3:07:00`.
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const rest = `${String(Math.floor(whole / 60) % 60).padStart(hours ? 2 : 1, '0')}:${String(whole % 60).padStart(2, '0')}`;
  return hours ? `${hours}:${rest}` : rest;
}

/**
 * `5 h 12 min`, `9 min`, `45 s`: how long something still lasts.
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole >= 86400) {
    return `${Math.floor(whole / 86400)} d ${Math.floor(whole / 3600) % 24} h`;
  }
  if (whole >= 3600) {
    return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
  }
  return whole >= 60 ? `${Math.floor(whole / 60)} min` : `${whole} s`;
}

/**
 * What to say beside a session while the scheduler does not answer; empty when it does.
 * @param {string | null | undefined} since time of its last answer
 * @param {number} [now]
 */
export function staleWords(since, now = Date.now()) {
  if (!since) {
    return '';
  }
  const age = duration(Math.max(0, now - Date.parse(since)) / 1000);
  return `The scheduler has not answered for ${age}; this is its last word.`;
}

/**
 * The element with this id; throws when the page lacks it.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) {
    throw new Error(`The page has no ${type.name} #${id}.`);
  }
  return found;
}
