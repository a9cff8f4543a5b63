import type { LedgerRecord } from '@sendonce/core';
import { senderOf } from '@sendonce/core/inspect';
import { catchRejection } from '@sendonce/core/ledger';
import { isSameJob, refOf } from './job-ref.ts';
import type { JobLike } from './options.ts';

/**
 * Writes a line to the log of the job. If that fails, nothing else does. With `keepLogs` nothing is
 * written, because the line could displace one of the processor.
 */
export function logToJob(job: JobLike, text: string): void {
  if (job.opts?.keepLogs !== undefined) return;
  try {
    catchRejection(job.log?.(`sendonce: ${text}`), () => {});
  } catch {
    // The job of a unit test may have a log that throws.
  }
}

/** Says who sent, when, why and with which Message-ID. A job's page in bull-board shows no more. */
export function describeRecord(record: LedgerRecord, job: JobLike): string {
  const { atMs, messageId, note, resolvedBy } = record;
  const sender = senderOf(record);
  const own = isSameJob(record.job, refOf(job)) ? ' (this job)' : '';
  const who = sender && ` by ${sender}${own}`;
  // After a doubt is resolved, who resolved it is the reason.
  const why = resolvedBy === undefined ? note : `resolved by ${resolvedBy}`;
  const id = messageId === undefined ? '' : `, Message-ID ${messageId}`;
  return `${who} at ${new Date(atMs).toISOString()}${why ? ` (${why})` : ''}${id}`;
}
