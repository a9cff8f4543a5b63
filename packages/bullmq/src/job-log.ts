import type { LedgerRecord } from '@sendonce/core';
import { senderOf } from '@sendonce/core/inspect';
import { catchRejection } from '@sendonce/core/ledger';
import { isSameJob, refOf } from './job-ref.ts';
import type { JobLike } from './options.ts';

/**
 * Writes a line into the log of the job. The outcome does not depend on it. With `keepLogs` a line
 * would push out one of the processor's own.
 */
export function logToJob(job: JobLike, text: string): void {
  if (job.opts?.keepLogs !== undefined) return;
  try {
    catchRejection(job.log?.(`sendonce: ${text}`), () => {});
  } catch {
    // A job of a unit test.
  }
}

/** By whom, when, why, and which email: for a page that shows one job and nothing else. */
export function describeRecord(record: LedgerRecord, job: JobLike): string {
  const { atMs, messageId, note, resolvedBy } = record;
  const sender = senderOf(record);
  const own = isSameJob(record.job, refOf(job)) ? ' (this job)' : '';
  const who = sender && ` by ${sender}${own}`;
  // Once a doubt is resolved, its reason matters no more.
  const why = resolvedBy === undefined ? note : `resolved by ${resolvedBy}`;
  const id = messageId === undefined ? '' : `, Message-ID ${messageId}`;
  return `${who} at ${new Date(atMs).toISOString()}${why ? ` (${why})` : ''}${id}`;
}
