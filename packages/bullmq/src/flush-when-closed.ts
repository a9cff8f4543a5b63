import type { Journal } from '@sendonce/core';
import { flushSoon } from '@sendonce/core/ledger';
import type { JobLike } from './options.ts';

/** What BullMQ's job has at run time: the worker that runs it. */
interface WithWorker {
  readonly queue?: { once?(event: 'closed', listener: () => void): unknown };
}

/**
 * Makes a function that looks at each job: when the worker of the job has closed, the journal is
 * flushed. An orderly program closes its workers, then its clients: without this the last entries
 * would still be waiting for others.
 */
export function flushWhenClosed(journal: Journal | undefined): (job: JobLike) => void {
  const watched = new WeakSet<object>();
  return (job) => {
    const worker = (job as WithWorker).queue;
    if (!journal || typeof worker?.once !== 'function' || watched.has(worker)) return;
    watched.add(worker);
    worker.once('closed', () => flushSoon(journal));
  };
}
