import type { Journal } from '@sendonce/core';
import { flushSoon } from '@sendonce/core/ledger';
import type { JobLike } from './options.ts';
import { workerOf } from './worker-of.ts';

/** The journals of all wrappers whose jobs a worker runs. One listener flushes all of them. */
const journalsOf = new WeakMap<object, Set<Journal>>();

/**
 * Flushes the journal when the worker of the job has closed. A program closes its workers before
 * its clients: without the flush, the last entries would still wait for more when the client
 * closes.
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
