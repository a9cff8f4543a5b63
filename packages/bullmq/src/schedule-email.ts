import { type Ledger, type RecordState, ScheduleError } from '@sendonce/core';
import { bareError, differingFields } from '@sendonce/core/ledger';
import { type EmailSnapshot, isWaiting, loadEmail, type QueueLike } from './email-jobs.ts';
import { type EmailStatus, toStatus } from './email-status.ts';
import { isSameJob } from './job-ref.ts';
import { isStampedWith, type ScheduleStamp, stampOf } from './schedule-stamp.ts';

/** What became of `schedule()`. */
export type Scheduled = { readonly key: string } & (
  | { readonly state: 'scheduled'; readonly at: Date; readonly jobId: string }
  /**
   * By another call; the data and the time of this one were not taken. `at` is undefined when it is due,
   * and where the queue does not tell.
   */
  | { readonly state: 'already-scheduled'; readonly at: Date | undefined; readonly jobId: string }
  | { readonly state: 'already-sent'; readonly at: Date; readonly messageId?: string | undefined }
  /** The same key belongs to another payload (`fingerprint`). */
  | { readonly state: 'conflict'; readonly fields: readonly string[] }
  | Extract<EmailStatus, { state: 'sending' | 'rejected' | 'in-doubt' | 'cancelled' }>
);

/** Where emails are scheduled. */
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

/** Adds the job unless the email has one, or the ledger knows what became of it. */
export async function scheduleEmail(producer: Producer, plan: Plan): Promise<Scheduled> {
  const { key } = plan.stamp;
  for (let tried = 0; tried < TRIES; tried += 1) {
    const before = await loadEmail(producer.queue, producer.ledger, key);
    const existing = findExisting(before, plan);
    if (existing) return existing;
    const jobId = requireJobId(before, key);
    const scheduled = await addJob(producer, plan, jobId);
    if (scheduled) return scheduled;
    // The job is gone again and left no record: removed, or it failed at once and was not kept.
  }
  throw new ScheduleError(
    `The email ${key} could not be scheduled: its job disappeared immediately after it was added ` +
      `(${TRIES} attempts). Is something removing the jobs of this queue, or do they fail at once ` +
      '(removeOnFail)?',
  );
}

/** BullMQ's add is a compare-and-set on the job id, and does not tell who won: the stamp does. */
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
      // Cancelled or sent elsewhere meanwhile. No other call adds a job over such a record, so this
      // is ours.
      await own.job.remove().catch(() => {});
      return findExisting(found, plan);
    }
    const other = found.jobs.find((one) => one !== own && isWaiting(one.state));
    const isFirst = other && found.jobs.indexOf(other) < found.jobs.indexOf(own);
    // Both stay where two were added under different ids: the ledger lets one email out.
    if (isFirst) return { key, state: 'already-scheduled', at: other.at, jobId: other.job.id };
    return { key, state: 'scheduled', at: new Date(plan.atMs), jobId };
  } catch (cause) {
    throw new ScheduleError(
      `It is not known whether the email ${key} is scheduled: queue or ledger did not answer. Schedule ` +
        'it again: what is scheduled already is not scheduled twice.',
      'maybe',
      bareError(cause),
    );
  }
}

/** The options of its job. */
export function buildJobOptions({ atMs, jobOptions, stamp }: Plan, jobId: string): object {
  // Timestamp and delay together are the moment, whenever the queue takes it.
  const timestamp = Date.now();
  return { ...jobOptions, jobId, timestamp, delay: Math.max(0, atMs - timestamp), sendonce: stamp };
}

/** @throws {ScheduleError} when each id is taken. */
export function requireJobId({ nextJobId, jobs }: EmailSnapshot, key: string): string {
  if (nextJobId !== undefined) return nextJobId;
  throw new ScheduleError(
    `The email ${key} was not scheduled: it has ${jobs.length} jobs that ended and were kept, and nothing was ` +
      'sent. Find out why they failed or were skipped, remove them from the queue (or retry one), and schedule it again.',
  );
}

/** What is known of the email already. Undefined when a new job may be added. */
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
      const { jobId } = status;
      return findConflict(snapshot, plan) ?? { key, state: 'already-scheduled', at, jobId };
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

/** Whether a record forbids the email. */
function isFinal(state: RecordState): boolean {
  return state !== 'claimed' && state !== 'dispatched' && state !== 'skipped';
}
