import type { JobLike } from './options.ts';

/** The part of a BullMQ `Worker` that is used here. */
export interface WorkerLike {
  /** In BullMQ 5. */
  readonly client?: Promise<unknown>;
  /** In BullMQ 6. */
  readonly backend?: { readonly client?: Promise<unknown> };
  once?(event: 'closed', listener: () => void): unknown;
}

/** The worker that runs a job. Undefined in a unit test, where no worker runs the job. */
export function workerOf(job: JobLike): WorkerLike | undefined {
  return (job as { readonly queue?: WorkerLike }).queue;
}

/** The connection on which a worker acknowledges its jobs. Undefined if it is no Redis client. */
export async function connectionOf(worker: WorkerLike): Promise<object | undefined> {
  const connection = await (worker.client ?? worker.backend?.client);
  return typeof connection === 'object' && connection !== null ? connection : undefined;
}
