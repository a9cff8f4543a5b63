import type { Ledger, SettleVia } from '@sendonce/core';
import type { JobLike } from './options.ts';

/** What BullMQ's job has at run time: the worker that runs it, whose connection acknowledges it. */
interface Acknowledged {
  readonly queue?: WorkerLike;
}

interface WorkerLike {
  /** BullMQ 5. */
  readonly client?: Promise<unknown>;
  /** BullMQ 6. */
  readonly backend?: { readonly client?: Promise<unknown> };
}

/**
 * How the outcome of a job is recorded on the connection that acknowledges it, where the ledger is on the
 * queue's own server. A worker is asked once, beside its first job, which does not wait for the answer, and
 * workers that share a connection share the answer.
 */
export function settlesOf(ledger: Ledger): (job: JobLike) => SettleVia | undefined {
  const known = new WeakMap<object, SettleVia | undefined>();
  const answers = new WeakMap<object, ReturnType<NonNullable<Ledger['settleVia']>>>();

  async function ask(worker: WorkerLike): Promise<void> {
    known.set(worker, undefined);
    const connection = await (worker.client ?? worker.backend?.client);
    if (typeof connection !== 'object' || connection === null) return;
    const answer = answers.get(connection) ?? ledger.settleVia!(connection);
    answers.set(connection, answer);
    known.set(worker, await answer);
  }

  return (job) => {
    const worker = (job as Acknowledged).queue;
    if (!worker || !ledger.settleVia) return undefined;
    if (!known.has(worker)) ask(worker).catch(() => {});
    return known.get(worker);
  };
}
