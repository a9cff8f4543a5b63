import type { LedgerRecord } from '@sendonce/core';
import { type FindQueue, retryJob } from '@sendonce/core/inspect';

/** What happened to the job of an email after the verdict. */
export type RetryResult = (typeof retryResults)[number];

/** The values of the link after a verdict; any other value is shown as `unknown`. */
export const retryResults = ['retried', 'not-failed', 'no-job', 'no-queue', 'unknown'] as const;

/**
 * Retries the failed job of an email. Never throws: the verdict is recorded, also if the queue does
 * not answer.
 */
export async function retryAfterVerdict(
  findQueue: FindQueue,
  record: Pick<LedgerRecord, 'job'>,
): Promise<RetryResult> {
  const queue = record.job && findQueue(record.job.queue);
  return queue ? retryJob(queue, record).catch(() => 'unknown' as const) : 'no-queue';
}
