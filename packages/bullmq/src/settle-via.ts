import type { Ledger, SettleVia } from '@sendonce/core';
import type { JobLike } from './options.ts';
import { connectionOf, type WorkerLike, workerOf } from './worker-of.ts';

/**
 * Finds how to record the outcome of a job on the connection that acknowledges the job. Undefined
 * if the ledger is on another server than the queue. The ledger is asked once per worker, during
 * its first job, which does not wait for the answer. Workers that share a connection share the
 * answer.
 */
export function settleViaWorker(ledger: Ledger): (job: JobLike) => SettleVia | undefined {
  const byWorker = new WeakMap<object, SettleVia | undefined>();
  const byConnection = new WeakMap<object, ReturnType<NonNullable<Ledger['settleVia']>>>();

  async function askLedger(worker: WorkerLike): Promise<void> {
    byWorker.set(worker, undefined);
    const connection = await connectionOf(worker);
    if (!connection) return;
    const answer = byConnection.get(connection) ?? ledger.settleVia!(connection);
    byConnection.set(connection, answer);
    byWorker.set(worker, await answer);
  }

  return (job) => {
    const worker = workerOf(job);
    if (!worker || !ledger.settleVia) return undefined;
    if (!byWorker.has(worker)) askLedger(worker).catch(() => {});
    return byWorker.get(worker);
  };
}
