import type { LedgerRecord } from '@sendonce/core';
import { type EmailJob, type EmailSnapshot, isWaiting, latestDueMs } from './email-jobs.ts';

/** What is known about an email: the ledger decides, and before it knows anything, the queue. */
export type EmailStatus = { readonly key: string } & (
  | {
      /** Neither the ledger nor the queue knows it. */
      readonly state: 'not-scheduled';
    }
  | {
      /** Waits for its time, or for its children in a flow. */
      readonly state: 'scheduled';
      /** Undefined where the queue does not tell: moved, on a backend other than Redis. */
      readonly at: Date | undefined;
      readonly jobId: string;
    }
  | {
      /** Its time has come; waits for a free worker. */
      readonly state: 'due';
      readonly jobId: string;
    }
  | {
      /** An attempt has it; it can still be cancelled before its dispatch. */
      readonly state: 'sending';
      readonly since: Date;
    }
  | {
      readonly state: 'sent';
      readonly at: Date;
      readonly messageId?: string | undefined;
    }
  | {
      /** Refused for good by the mail server or provider. */
      readonly state: 'rejected';
      readonly at: Date;
      readonly note?: string | undefined;
    }
  | {
      /** Its processor decided not to send. It blocks nothing: `schedule()` schedules it again. */
      readonly state: 'skipped';
      readonly at: Date;
      /** What the processor gave to `skipEmail()`. */
      readonly reason: string;
    }
  | {
      /** Dispatched, and it is unknown whether it left: see `resolveEmail()`. */
      readonly state: 'in-doubt';
      readonly at: Date;
      readonly messageId?: string | undefined;
    }
  | {
      readonly state: 'cancelled';
      readonly at: Date;
      /** Who cancelled it, for people. */
      readonly by?: string | undefined;
    }
  | {
      /** Its job used up its attempts and was kept; nothing was sent. `schedule()` revives it. */
      readonly state: 'failed';
      readonly at: Date;
      readonly jobId: string;
    }
);

/** What is known about an email. */
export function toStatus(key: string, { record, jobs }: EmailSnapshot): EmailStatus {
  if (record && record.state !== 'skipped') return recordToStatus(record);
  // The job of a skipped email may not be acknowledged yet.
  const active = jobs.find(({ state, job }) => state === 'active' && job.id !== record?.job?.id);
  if (active) {
    return { key, state: 'sending', since: new Date(active.job.processedOn ?? Date.now()) };
  }
  const soonest = jobs
    .filter(({ state }) => isWaiting(state))
    .toSorted((one, other) => latestDueMs(one) - latestDueMs(other))[0];
  if (soonest) {
    const { at, job } = soonest;
    if (isDue(soonest)) return { key, state: 'due', jobId: job.id };
    return { key, state: 'scheduled', at, jobId: job.id };
  }
  const failed = jobs.findLast(({ state }) => state === 'failed');
  // It blocked nothing: what its queue has done since then is news.
  if (record && !((failed?.job.finishedOn ?? 0) > record.atMs)) return recordToStatus(record);
  if (failed) {
    return { key, state: 'failed', at: new Date(failed.job.finishedOn ?? 0), jobId: failed.job.id };
  }
  // A completed job without a record is one from before the retention: the ledger is the memory.
  return { key, state: 'not-scheduled' };
}

/** What the ledger's record says. */
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
