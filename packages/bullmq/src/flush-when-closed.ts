import type { Journal } from '@sendonce/core';
import { flushSoon } from '@sendonce/core/ledger';
import type { JobLike } from './options.ts';
import { workerOf } from './worker-of.ts';

/**
 * Makes a function that looks at each job: when the worker of the job has closed, the journal is
 * flushed. An orderly program closes its workers, then its clients: without this the last entries
 * would still be waiting for others.
 */
export function flushWhenClosed(journal: Journal | undefined): (job: JobLike) => void {
  const watched = new WeakSet<object>();
  return (job) => {
    const worker = workerOf(job);
    if (!journal || typeof worker?.once !== 'function' || watched.has(worker)) return;
    watched.add(worker);
    worker.once('closed', () => flushSoon(journal));
  };
}
