import type { LedgerRecord } from '@sendonce/core';

/** The part of a queue that is needed to run a job again; every `Queue` of BullMQ 5 and 6 has it. */
export interface QueueOfJobs {
  readonly name: string;
  getJob(jobId: string): Promise<
    | {
        getState(): Promise<string>;
        retry(state?: 'failed'): Promise<void>;
      }
    | undefined
  >;
}

/** What became of the job after a verdict. */
export type JobAfter = 'retried' | 'not-failed' | 'no-job' | 'no-queue' | 'unknown';

/** As words of a link: nothing else that stands there is shown. */
export const jobsAfter: readonly JobAfter[] = [
  'retried',
  'not-failed',
  'no-job',
  'no-queue',
  'unknown',
];

/**
 * Gives the failed job of an email to a worker again. Does the same as `retryJob()` of @sendonce/bullmq, which would
 * bring BullMQ into a process that only looks. Never throws: the verdict stands, whatever the queue says.
 */
export async function retryJobOf(
  queues: readonly QueueOfJobs[],
  { by = '' }: Pick<LedgerRecord, 'by'>,
): Promise<JobAfter> {
  const queue = queues.find(({ name }) => by.startsWith(`${name}:`));
  if (!queue) return 'no-queue';
  try {
    const job = await queue.getJob(by.slice(queue.name.length + 1));
    if (!job) return 'no-job';
    if ((await job.getState()) !== 'failed') return 'not-failed';
    await job.retry('failed');
    return 'retried';
  } catch {
    return 'unknown';
  }
}
