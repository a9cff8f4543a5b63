import type { LedgerRecord } from './ledger.ts';

/** The part of a queue that is needed to run a job again; every `Queue` of BullMQ 5 and 6 has it. */
export interface QueueOfJobs {
  readonly name: string;
  getJob(jobId: string): Promise<RetriedJob | undefined>;
}

export interface RetriedJob {
  getState(): Promise<string>;
  retry(state?: 'failed'): Promise<void>;
}

/** A queue by its name; undefined where there is none. */
export type FindQueue = (name: string) => QueueOfJobs | undefined;

/** The queue of an email: of `queue:jobId` only the id may have more colons. */
export function queueOf(
  findQueue: FindQueue,
  { by = '' }: Pick<LedgerRecord, 'by'>,
): QueueOfJobs | undefined {
  const colon = by.indexOf(':');
  return colon < 1 ? undefined : findQueue(by.slice(0, colon));
}

/** `queue:jobId`, as `once()` writes it; undefined for another queue's emails. */
export function jobIdOf(
  { by = '' }: Pick<LedgerRecord, 'by'>,
  queueName: string,
): string | undefined {
  return by.startsWith(`${queueName}:`) ? by.slice(queueName.length + 1) : undefined;
}

/**
 * Gives the job of an email to a worker again, if it has failed: after a verdict it sends ("not sent") or completes
 * ("sent"). `not-failed`: it waits or runs and comes by itself, or is completed. `no-job`: it is of another queue, or was removed.
 * @throws what the queue throws: whether the job was retried is then unknown.
 */
export async function retryJob(
  queue: QueueOfJobs,
  record: Pick<LedgerRecord, 'by'>,
): Promise<'retried' | 'not-failed' | 'no-job'> {
  const jobId = jobIdOf(record, queue.name);
  const job = jobId === undefined ? undefined : await queue.getJob(jobId);
  if (!job) return 'no-job';
  return (await runAgain(job)) ? 'retried' : 'not-failed';
}

/** A job that has failed runs again; one that waits or runs comes by itself. */
export async function runAgain(job: RetriedJob): Promise<boolean> {
  if ((await job.getState()) !== 'failed') return false;
  try {
    await job.retry('failed');
  } catch (error) {
    // Another process may have been faster: then it is not failed any more, which is as good.
    if ((await job.getState()) === 'failed') throw error;
  }
  return true;
}
