import { type JobRef, type Ledger, type LedgerRecord, ScheduleError } from '@sendonce/core';
import { bareError, differingFields } from '@sendonce/core/ledger';
import { type AddedEmails, addEmails } from './add-emails.ts';
import {
  type EmailJob,
  type EmailSnapshot,
  isWaiting,
  loadEmail,
  queueUnavailable,
  type QueueLike,
  removeJobs,
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

/**
 * Schedules a page of emails. Most emails are new: their jobs are added with few commands for the
 * whole page. The others are loaded and scheduled one by one.
 */
export async function scheduleEmails(
  producer: Producer,
  plans: readonly Plan[],
): Promise<readonly PromiseSettledResult<Scheduled>[]> {
  const page: AddedEmails = { added: new Set(), answers: new Map() };
  try {
    await addEmails(producer, plans, page);
  } catch (cause) {
    // Of several emails, one may have failed them all: each is tried alone.
    const [plan] = plans;
    if (plan && plans.length === 1) {
      const { key } = plan.stamp;
      const reason = page.added.has(plan) ? unknownError(key, cause) : queueUnavailable(key, cause);
      return [{ status: 'rejected', reason }];
    }
  }
  return Promise.allSettled(
    plans.map(
      async (plan) => page.answers.get(plan) ?? scheduleEmail(producer, plan, page.added.has(plan)),
    ),
  );
}

/** Schedules one email, in any state that it is in. Its job may have been added already. */
export async function scheduleEmail(
  producer: Producer,
  plan: Plan,
  wasAdded = false,
): Promise<Scheduled> {
  const { queue, ledger } = producer;
  const { key } = plan.stamp;
  let mayBeAdded = wasAdded;
  const fail = (cause: unknown): never => {
    throw mayBeAdded ? unknownError(key, cause) : cause;
  };
  // The last round only looks at what the one before it has added.
  for (let round = 0; round <= TRIES; round += 1) {
    const snapshot = await loadEmail(queue, ledger, key).catch(fail);
    const own = snapshot.jobs.find(({ job }) => isStampedWith(plan.stamp.token, job));
    const scheduled = own
      ? await keepOwn(producer, plan, { ...snapshot, own }).catch(fail)
      : findExisting(snapshot, plan);
    if (scheduled) return scheduled;
    // There is no job yet, or it disappeared without a record: it was removed, or it failed at once
    // and was not kept.
    const jobId = requireJobId(snapshot, key);
    mayBeAdded = true;
    await queue.add(plan.name, plan.data, buildJobOptions(plan, jobId)).catch(fail);
  }
  throw new ScheduleError(
    `The email ${key} could not be scheduled: its job disappeared immediately after it was added ` +
      `(${TRIES} attempts). Check whether something removes the jobs of this queue, or whether they fail at ` +
      'once (removeOnFail).',
  );
}

/**
 * The answer to the call whose job is in the queue.
 * @returns undefined if the email must be loaded again.
 */
async function keepOwn(
  { queue, ledger }: Producer,
  plan: Plan,
  snapshot: EmailSnapshot & { readonly own: EmailJob },
): Promise<Scheduled | undefined> {
  const { own, jobs, record } = snapshot;
  const { key } = plan.stamp;
  const { id: jobId } = own.job;
  if (record && blocks(record, { queue: queue.name, id: jobId })) {
    // The email is known already, so this job must not stay. While it was there, another call may
    // have been answered `already-scheduled`. If the record disappears in this moment, because a
    // person resolves the email as "not sent", the email needs a job again.
    const present = (await removeJobs([own])) ? await ledger.read(key) : record;
    return present && present.state !== 'skipped' ? findExisting(snapshot, plan) : undefined;
  }
  const other = jobs.find((one) => one !== own && isWaiting(one.state) && isBefore(one, own));
  if (!other) return { key, state: 'scheduled', at: new Date(plan.atMs), jobId };
  // The job of an earlier call has another id, because a job that failed and was kept had the first
  // one. Of two jobs, exactly one is the earlier one for both callers, so one of them stays.
  await removeJobs([own]);
  const notAfter = notAfterOf(other.job);
  const limit = notAfter && { notAfter };
  return { key, state: 'already-scheduled', at: other.at, ...limit, jobId: other.job.id };
}

function isBefore({ job }: EmailJob, other: EmailJob): boolean {
  if (job.timestamp !== other.job.timestamp) return job.timestamp < other.job.timestamp;
  return job.id < other.job.id;
}

/** Whether the email is known already, by a record that is not of this very job. */
function blocks(record: LedgerRecord, job: JobRef): boolean {
  return record.state !== 'skipped' && !isSameJob(record.job, job);
}

function unknownError(key: string, cause: unknown): ScheduleError {
  return new ScheduleError(
    `It is unknown whether the email ${key} is scheduled: the queue or the ledger did not answer. Schedule ` +
      'it again: an email that is already scheduled is not scheduled twice.',
    'maybe',
    { cause: bareError(cause) },
  );
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
