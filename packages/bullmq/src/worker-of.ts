import type { JobLike } from './options.ts';

/** What is used here of the worker that runs a job. */
export interface WorkerLike {
  /** BullMQ 5. */
  readonly client?: Promise<unknown>;
  /** BullMQ 6. */
  readonly backend?: { readonly client?: Promise<unknown> };
  once?(event: 'closed', listener: () => void): unknown;
}

/** The worker that runs a job; undefined for a job that no worker runs, as in a unit test. */
export function workerOf(job: JobLike): WorkerLike | undefined {
  return (job as { readonly queue?: WorkerLike }).queue;
}

/** The connection on which a worker acknowledges its jobs; undefined if that is no Redis client. */
export async function connectionOf(worker: WorkerLike): Promise<object | undefined> {
  const connection = await (worker.client ?? worker.backend?.client);
  return typeof connection === 'object' && connection !== null ? connection : undefined;
}
