import type { LedgerRecord } from '@sendonce/core';
import { type EmailJob, type EmailSnapshot, isWaiting, latestDueMs } from './email-jobs.ts';
import { notAfterOf } from './schedule-stamp.ts';

/**
 * The status of an email, by its `state`: the answer of {@link DelayedEmails.status}. The ledger
 * decides, and the queue where the ledger has no record.
 *
 * @example if (status.state === 'scheduled') console.log(status.at);
 */
export type EmailStatus = { readonly key: string } & (
  | {
      /** Neither the ledger nor the queue has it. */
      readonly state: 'not-scheduled';
    }
  | {
      /** Waits for its time, or for its children in a flow. */
      readonly state: 'scheduled';
      /** When it is due. Undefined if the job was moved in a queue that is not on Redis. */
      readonly at: Date | undefined;
      /** When its time is over, if it was given a `notAfter`. */
      readonly notAfter?: Date | undefined;
      readonly jobId: string;
    }
  | {
      /** Its time has come, and it waits for a free worker. */
      readonly state: 'due';
      /** When its time is over, if it was given a `notAfter`. */
      readonly notAfter?: Date | undefined;
      readonly jobId: string;
    }
  | {
      /** An attempt has claimed it. Before its dispatch it can still be cancelled. */
      readonly state: 'sending';
      readonly since: Date;
    }
  | {
      /** It was sent. */
      readonly state: 'sent';
      readonly at: Date;
      readonly messageId?: string | undefined;
    }
  | {
      /** The mail server or the provider rejected it permanently. */
      readonly state: 'rejected';
      readonly at: Date;
      readonly note?: string | undefined;
    }
  | {
      /**
       * Its processor decided not to send, or its time was over. `schedule()` may schedule it
       * again.
       */
      readonly state: 'skipped';
      readonly at: Date;
      /** The reason that the processor gave to `skipEmail()`, or `not-after`. */
      readonly reason: string;
    }
  | {
      /** It was dispatched, and it is unknown whether it was sent: see `resolveEmail()`. */
      readonly state: 'in-doubt';
      readonly at: Date;
      readonly messageId?: string | undefined;
    }
  | {
      /** It was cancelled and is not sent. */
      readonly state: 'cancelled';
      readonly at: Date;
      /** Who cancelled it, for people. */
      readonly by?: string | undefined;
    }
  | {
      /** Its job used up its attempts, and nothing was sent. `schedule()` adds a new job. */
      readonly state: 'failed';
      readonly at: Date;
      readonly jobId: string;
    }
);

/** The status of an email from its record and its jobs. */
export function toStatus(key: string, { record, jobs }: EmailSnapshot): EmailStatus {
  if (record && record.state !== 'skipped') return recordToStatus(record);
  // The job that skipped the email may still be active briefly.
  const active = jobs.find(({ state, job }) => state === 'active' && job.id !== record?.job?.id);
  if (active) {
    return { key, state: 'sending', since: new Date(active.job.processedOn ?? Date.now()) };
  }
  const soonest = jobs
    .filter(({ state }) => isWaiting(state))
    .toSorted((one, other) => latestDueMs(one) - latestDueMs(other))[0];
  if (soonest) {
    const { at, job } = soonest;
    const notAfter = notAfterOf(job);
    const limit = notAfter && { notAfter };
    if (isDue(soonest)) return { key, state: 'due', ...limit, jobId: job.id };
    return { key, state: 'scheduled', at, ...limit, jobId: job.id };
  }
  const failed = jobs.findLast(({ state }) => state === 'failed');
  // A skip blocks nothing, so a later failure in the queue is the newer status.
  if (record && !((failed?.job.finishedOn ?? 0) > record.atMs)) return recordToStatus(record);
  if (failed) {
    return { key, state: 'failed', at: new Date(failed.job.finishedOn ?? 0), jobId: failed.job.id };
  }
  // The record of a completed job has expired after its retention.
  return { key, state: 'not-scheduled' };
}

/** The status of an email that has a record. */
export function recordToStatus(record: LedgerRecord): EmailStatus {
  const { key, state, messageId } = record;
  const at = new Date(record.atMs);
  switch (state) {
    case 'claimed':
    case 'dispatched':
      return { key, state: 'sending', since: at };
    case 'sent':
    case 'in-doubt':
      return { key, state, at, ...(messageId !== undefined && { messageId }) };
    case 'rejected':
      return { key, state, at, ...(record.note !== undefined && { note: record.note }) };
    case 'skipped':
      return { key, state, at, reason: record.note ?? '' };
    case 'cancelled':
      return { key, state, at, ...(record.by !== undefined && { by: record.by }) };
  }
}

function isDue({ state }: EmailJob): boolean {
  return state !== 'delayed' && state !== 'waiting-children';
}
