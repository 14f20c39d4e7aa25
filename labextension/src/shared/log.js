// Keeps what happened, and when, for tests, measurements and reports.

const LIMIT = 2000;

/** @type {import("../types").LogEntry[]} */
const log = [];
window.qconnect = { log, state: 'opening' };

/**
 * Notes an event; some are also marks of the browser's own timeline.
 * @param {string} event
 * @param {unknown} [data]
 */
export function mark(event, data = null) {
  log.push([Math.round(performance.now()), event, data]);
  if (log.length > LIMIT) {
    log.splice(0, LIMIT / 2);
  }
  performance.mark(`qconnect:${event}`);
}
