import type { Journal } from '@sendonce/core';
import { flushSoon } from '@sendonce/core/ledger';
import type { JobLike } from './options.ts';
import { workerOf } from './worker-of.ts';

/** The journals of all wrappers whose jobs a worker runs. One listener serves them all. */
const journalsOf = new WeakMap<object, Set<Journal>>();

/**
 * Flushes the journal when the worker of the job has closed. An orderly program closes its workers,
 * then its clients: without this the last entries would still be waiting for others.
 */
export function flushWhenClosed(job: JobLike, journal: Journal | undefined): void {
  const worker = workerOf(job);
  if (!journal || typeof worker?.once !== 'function') return;
  const known = journalsOf.get(worker);
  if (known) return void known.add(journal);
  const journals = new Set([journal]);
  journalsOf.set(worker, journals);
  worker.once('closed', () => {
    for (const one of journals) flushSoon(one);
  });
}
