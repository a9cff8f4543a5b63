import type { LedgerRecord } from './record.ts';

/**
 * Who sent an email, for people: `queue:jobId`, or `by`. Empty where the record does not say.
 * See {@link LedgerRecord.job}.
 */
export function senderOf({ job, by }: Pick<LedgerRecord, 'job' | 'by'>): string {
  return job ? `${job.queue}:${job.id}` : (by ?? '');
}
