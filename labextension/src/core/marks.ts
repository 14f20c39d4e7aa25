/** Keeps what happened in a page, and when, for tests, measurements and reports. */

/** The most that is kept; half of it goes when it is full. */
const LIMIT = 2000;

/** Milliseconds since the page was opened, the event, and what belongs to it. */
export type Mark = [number, string, unknown];

/** What a page shows of itself as `window.qconnect`; `state` is the viewer's, `ready` while the picture is alive. */
export const record: { readonly log: Mark[]; state: string } = { log: [], state: 'opening' };

/** Notes an event, also in the browser's own timeline. */
export function mark(event: string, data: unknown = null): void {
  record.log.push([Math.round(performance.now()), event, data]);
  if (record.log.length > LIMIT) {
    record.log.splice(0, LIMIT / 2);
  }
  performance.mark(`qconnect:${event}`);
}
