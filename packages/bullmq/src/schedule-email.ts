import { type Ledger, type RecordState, ScheduleError } from '@sendonce/core';
import { bareError, differingFields } from '@sendonce/core/ledger';
import {
  type EmailSnapshot,
  isWaiting,
  loadEmail,
  type QueueLike,
  type StoredJob,
} from './email-jobs.ts';
import { type EmailStatus, toStatus } from './email-status.ts';
import { isSameJob } from './job-ref.ts';
import { isStampedWith, notAfterOf, type ScheduleStamp, stampOf } from './schedule-stamp.ts';

/**
 * The answer of {@link DelayedEmails.schedule}: what it did, or what is already known of the email.
 */
export type Scheduled = { readonly key: string } & (
  | { readonly state: 'scheduled'; readonly at: Date; readonly jobId: string }
  /**
   * An earlier call scheduled it. The data and the times of this call were ignored. `at` is
   * undefined if the email is due or its time is unknown. `notAfter` is that of the earlier call.
   */
  | {
      readonly state: 'already-scheduled';
      readonly at: Date | undefined;
      readonly notAfter?: Date | undefined;
      readonly jobId: string;
    }
  | { readonly state: 'already-sent'; readonly at: Date; readonly messageId?: string | undefined }
  /** The key belongs to another payload: these fields of `fingerprint` differ. */
  | { readonly state: 'conflict'; readonly fields: readonly string[] }
  | Extract<EmailStatus, { state: 'sending' | 'rejected' | 'in-doubt' | 'cancelled' }>
);

/** The queue and the ledger of `delayedEmails()`. */
export interface Producer {
  readonly queue: QueueLike<unknown>;
  readonly ledger: Ledger;
}

/** An email about to be scheduled. */
export interface Plan {
  readonly name: string;
  readonly data: unknown;
  readonly atMs: number;
  readonly jobOptions: object;
  readonly stamp: ScheduleStamp;
}

const TRIES = 5;

/** Adds the job, unless the email already has one or the ledger has its outcome. */
export async function scheduleEmail(producer: Producer, plan: Plan): Promise<Scheduled> {
  const { key } = plan.stamp;
  for (let tried = 0; tried < TRIES; tried += 1) {
    const before = await loadEmail(producer.queue, producer.ledger, key);
    const existing = findExisting(before, plan);
    if (existing) return existing;
    const jobId = requireJobId(before, key);
    const scheduled = await addJob(producer, plan, jobId);
    if (scheduled) return scheduled;
    // The job disappeared without a record: it was removed, or it failed at once and was not kept.
  }
  throw new ScheduleError(
    `The email ${key} could not be scheduled: its job disappeared immediately after it was added ` +
      `(${TRIES} attempts). Check whether something removes the jobs of this queue, or whether they fail at ` +
      'once (removeOnFail).',
  );
}

/** BullMQ's add is a compare-and-set on the job id. The stamp shows which call added the job. */
async function addJob(
  { queue, ledger }: Producer,
  plan: Plan,
  jobId: string,
): Promise<Scheduled | undefined> {
  const { key, token } = plan.stamp;
  try {
    await queue.add(plan.name, plan.data, buildJobOptions(plan, jobId));
    const found = await loadEmail(queue, ledger, key);
    const own = found.jobs.find(({ job }) => isStampedWith(token, job));
    if (!own) return findExisting(found, plan);

    const { record } = found;
    const ownRef = { queue: queue.name, id: jobId };
    if (record && isFinal(record.state) && !isSameJob(record.job, ownRef)) {
      // The email was cancelled or sent meanwhile. No other call adds a job over such a record, so
      // this job is the one of this call.
      await own.job.remove().catch(() => {});
      return findExisting(found, plan);
    }
    const other = found.jobs.find((one) => one !== own && isWaiting(one.state));
    const isFirst = other && found.jobs.indexOf(other) < found.jobs.indexOf(own);
    // If two jobs were added under different ids, both stay: the ledger permits one email.
    if (isFirst) {
      const notAfter = notAfterOf(other.job);
      const limit = notAfter && { notAfter };
      return { key, state: 'already-scheduled', at: other.at, ...limit, jobId: other.job.id };
    }
    return { key, state: 'scheduled', at: new Date(plan.atMs), jobId };
  } catch (cause) {
    throw new ScheduleError(
      `It is unknown whether the email ${key} is scheduled: the queue or the ledger did not answer. Schedule ` +
        'it again: an email that is already scheduled is not scheduled twice.',
      'maybe',
      bareError(cause),
    );
  }
}

/** The options of the job of an email. */
export function buildJobOptions({ atMs, jobOptions, stamp }: Plan, jobId: string): object {
  // BullMQ adds the delay to the timestamp, so the due time does not depend on when it adds the
  // job.
  const timestamp = Date.now();
  return { ...jobOptions, jobId, timestamp, delay: Math.max(0, atMs - timestamp), sendonce: stamp };
}

/** The options of a job, for another job of the same email. */
export function copyJobOptions({ opts }: StoredJob): object {
  const {
    delay: _,
    timestamp: __,
    jobId: ___,
    parent: ____,
    ...jobOptions
  } = opts as Record<string, unknown>;
  return jobOptions;
}

/** The id of the next job. @throws {ScheduleError} if every id is taken. */
export function requireJobId({ nextJobId, jobs }: EmailSnapshot, key: string): string {
  if (nextJobId !== undefined) return nextJobId;
  throw new ScheduleError(
    `The email ${key} was not scheduled: it has ${jobs.length} jobs that ended without sending it and were kept. Find ` +
      'out why they failed or were skipped, remove them from the queue (or retry one), and schedule it again.',
  );
}

/** What is already known of the email. Undefined if a new job may be added. */
function findExisting(snapshot: EmailSnapshot, plan: Plan): Scheduled | undefined {
  const { key } = plan.stamp;
  const status = toStatus(key, snapshot);
  switch (status.state) {
    case 'not-scheduled':
    case 'failed':
    case 'skipped':
      return undefined;
    case 'cancelled':
      return status;
    case 'scheduled':
    case 'due': {
      const at = status.state === 'scheduled' ? status.at : undefined;
      const { jobId, notAfter } = status;
      const limit = notAfter && { notAfter };
      return (
        findConflict(snapshot, plan) ?? { key, state: 'already-scheduled', at, ...limit, jobId }
      );
    }
    case 'sent':
      return findConflict(snapshot, plan) ?? { ...status, state: 'already-sent' };
    case 'sending':
    case 'rejected':
    case 'in-doubt':
      return findConflict(snapshot, plan) ?? status;
  }
}

function findConflict(
  { record, jobs }: EmailSnapshot,
  { stamp: { key, fingerprint } }: Plan,
): Extract<Scheduled, { state: 'conflict' }> | undefined {
  if (fingerprint === undefined) return undefined;
  const existing =
    record?.fingerprint ?? jobs.map(({ job }) => stampOf(job)?.fingerprint).find(Boolean);
  if (existing === undefined || existing === fingerprint) return undefined;
  return { key, state: 'conflict', fields: differingFields(existing, fingerprint) };
}

/** Whether a record in this state prevents the email. */
export function isFinal(state: RecordState): boolean {
  return state !== 'claimed' && state !== 'dispatched' && state !== 'skipped';
}
