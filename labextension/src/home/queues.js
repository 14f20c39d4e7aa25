// Shows the batch system's queues when somebody opens them: what is free, and what a job may ask for.

import { call } from '../shared/api.js';
import { element } from '../shared/text.js';
import { make } from './apps.js';

const COLUMNS = ['Queue', 'Free cores', 'Walltime', 'Cores per node', 'Memory per node', 'Your running jobs'];
const GB = 2 ** 30;

/** @param {number} seconds */
function hours(seconds) {
  const rest = String(Math.floor(seconds / 60) % 60).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${rest} h`;
}

/**
 * @param {string} words
 * @param {string | number | null} value null where there is no limit, or it is not told
 */
function cell(words, value) {
  const made = make('td', '', value === null ? '–' : String(value));
  made.dataset.label = words;
  return made;
}

/** @param {import("../types").Queue} queue */
function row(queue) {
  const made = document.createElement('tr');
  const name = make('th', '', queue.name + (queue.default ? ' (default)' : ''));
  name.setAttribute('scope', 'row');
  if (!queue.enabled || !queue.started) {
    name.append(make('span', 'soft', queue.enabled ? ' – runs no jobs now' : ' – takes no jobs now'));
  }
  const values = [
    queue.free_cores,
    queue.max_walltime_s === null ? null : `up to ${hours(queue.max_walltime_s)}`,
    queue.node_cores,
    queue.node_memory === null ? null : `${Math.floor(queue.node_memory / GB)} GB`,
    queue.max_running === null ? null : `up to ${queue.max_running}`,
  ];
  made.append(name, ...values.map((value, index) => cell(COLUMNS[index + 1] ?? '', value)));
  return made;
}

/** @param {import("../types").QueueList} found */
function show(found) {
  element('scheduler', HTMLElement).textContent =
    `Batch system: ${found.scheduler.name}. ${found.scheduler.why}`;
  const head = document.createElement('tr');
  for (const words of COLUMNS) {
    const made = make('th', '', words);
    made.setAttribute('scope', 'col');
    head.append(made);
  }
  const table = make('table', 'queues');
  const top = document.createElement('thead');
  const body = document.createElement('tbody');
  top.append(head);
  body.append(...found.queues.map(row));
  table.append(top, body);
  element('queue-list', HTMLElement).replaceChildren(...(found.queues.length ? [table] : []));
}

/** Asks each time the box is opened; the server asks the batch system seldom. */
export function offerQueues() {
  const box = element('queues', HTMLDetailsElement);
  box.addEventListener('toggle', () => {
    if (!box.open) {
      return;
    }
    call('queues')
      .then(found => {
        show(/** @type {import("../types").QueueList} */ (found));
      })
      .catch((/** @type {unknown} */ error) => {
        element('scheduler', HTMLElement).textContent =
          error instanceof Error ? error.message : String(error);
      });
  });
}
