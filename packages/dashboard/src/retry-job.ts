import type { LedgerRecord } from '@sendonce/core';
import { type FindQueue, retryJob } from '@sendonce/core/inspect';

/** What became of the job after a verdict. */
export type JobAfter = (typeof jobsAfter)[number];

/** As words of a link: nothing else that stands there is shown. */
export const jobsAfter = ['retried', 'not-failed', 'no-job', 'no-queue', 'unknown'] as const;

/** Gives the failed job of an email to a worker again. Never throws: the verdict stands, whatever the queue says. */
export async function retryJobOf(
  findQueue: FindQueue,
  record: Pick<LedgerRecord, 'job'>,
): Promise<JobAfter> {
  const queue = record.job && findQueue(record.job.queue);
  return queue ? retryJob(queue, record).catch(() => 'unknown' as const) : 'no-queue';
}
