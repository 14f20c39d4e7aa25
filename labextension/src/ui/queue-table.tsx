/** The batch system's queues, when somebody opens them: what is free, and what a job may ask for. */
import { useState, type ReactElement, type SyntheticEvent } from 'react';

import type { IQueue, IQueueList } from '../core/models';
import { explain, gigabytes, hours } from '../core/text';
import type { ITrans } from '../core/trans';

/** What the box of queues is given. */
export interface IQueuesProps {
  load: () => Promise<IQueueList>;
  trans: ITrans;
}

/** A box that asks each time it is opened; the server asks the batch system seldom. */
export function Queues({ load, trans }: IQueuesProps): ReactElement {
  const [words, setWords] = useState(trans.__('Loading…'));
  const [queues, setQueues] = useState<readonly IQueue[]>([]);
  const toggle = (event: SyntheticEvent<HTMLDetailsElement>): void => {
    if (!event.currentTarget.open) {
      return;
    }
    load().then(
      found => {
        setWords(trans.__('Batch system: %1. %2', found.scheduler.name, found.scheduler.why));
        setQueues(found.queues);
      },
      (error: unknown) => setWords(explain(error, trans)),
    );
  };
  return (
    <details className="jp-qconnect-queues" onToggle={toggle}>
      <summary>{trans.__('Queues')}</summary>
      <p className="jp-qconnect-scheduler jp-qconnect-soft" aria-live="polite">
        {words}
      </p>
      {queues.length > 0 && <QueueTable queues={queues} trans={trans} />}
    </details>
  );
}

/** A column: its title, and what stands in it; null where there is no limit, or it is not told. */
interface IColumn {
  title: string;
  value: (queue: IQueue) => string | number | null;
}

function columns(trans: ITrans): IColumn[] {
  const told = (value: number | null, words: (value: number) => string): string | null =>
    value === null ? null : words(value);
  const limit = (amount: string | number): string => trans.__('up to %1', amount);
  return [
    { title: trans.__('Free cores'), value: queue => queue.free_cores },
    {
      title: trans.__('Walltime'),
      value: queue => told(queue.max_walltime_s, seconds => limit(hours(seconds, trans))),
    },
    { title: trans.__('Cores per node'), value: queue => queue.node_cores },
    {
      title: trans.__('Memory per node'),
      value: queue => told(queue.node_memory, bytes => gigabytes(bytes, trans)),
    },
    { title: trans.__('Your running jobs'), value: queue => told(queue.max_running, limit) },
  ];
}

/** The queues, one a row. */
export function QueueTable({ queues, trans }: { queues: readonly IQueue[]; trans: ITrans }): ReactElement {
  const shown = columns(trans);
  return (
    <table className="jp-qconnect-queue-table">
      <thead>
        <tr>
          {[trans.__('Queue'), ...shown.map(({ title }) => title)].map(title => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {queues.map(queue => (
          <QueueRow key={queue.name} queue={queue} columns={shown} trans={trans} />
        ))}
      </tbody>
    </table>
  );
}

interface IQueueRowProps {
  queue: IQueue;
  columns: readonly IColumn[];
  trans: ITrans;
}

function QueueRow({ queue, columns: shown, trans }: IQueueRowProps): ReactElement {
  return (
    <tr>
      <th scope="row">
        <QueueName queue={queue} trans={trans} />
      </th>
      {shown.map(({ title, value }) => (
        <td key={title} data-label={title}>
          {value(queue) ?? '–'}
        </td>
      ))}
    </tr>
  );
}

function QueueName({ queue, trans }: { queue: IQueue; trans: ITrans }): ReactElement {
  const { name, enabled, started } = queue;
  const closed = enabled ? trans.__('runs no jobs now') : trans.__('takes no jobs now');
  return (
    <>
      {queue.default ? trans.__('%1 (default)', name) : name}
      {!(enabled && started) && <span className="jp-qconnect-soft"> – {closed}</span>}
    </>
  );
}
