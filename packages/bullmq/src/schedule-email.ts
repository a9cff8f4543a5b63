import { type Ledger, ScheduleError } from '@sendonce/core';
import { differingFields } from '@sendonce/core/ledger';
import { type Found, isWaiting, look, type QueueLike } from './email-jobs.ts';
import { type EmailStatus, statusOf } from './email-status.ts';
import { type Mark, markOf } from './mark.ts';

/** What became of `schedule()`. */
export type Scheduled = { readonly key: string } & (
  | { readonly state: 'scheduled'; readonly at: Date; readonly jobId: string }
  /** Another call, this one's data and time were not taken. */
  | { readonly state: 'already-scheduled'; readonly at: Date; readonly jobId: string }
  | { readonly state: 'already-sent'; readonly at: Date; readonly messageId?: string | undefined }
  /** The same key stands for another payload (`fingerprint`). */
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
  readonly mark: Mark;
}

const TRIES = 5;

/** Adds the job unless the email has one, or the ledger knows what became of it. */
export async function scheduleEmail(producer: Producer, plan: Plan): Promise<Scheduled> {
  const { key } = plan.mark;
  for (let tried = 0; tried < TRIES; tried += 1) {
    const before = await look(producer.queue, producer.ledger, key);
    const standing = standingOf(before, plan);
    if (standing) return standing;
    const jobId = freeIdOf(before, key);
    const answer = await addJob(producer, plan, jobId);
    if (answer) return answer;
    // The job is gone again and left no record: removed, or it failed at once and was not kept.
  }
  throw new ScheduleError(
    `The email ${key} could not be scheduled: its job was gone ${TRIES} times as soon as it had been ` +
      'added. Is something removing the jobs of this queue, or do they fail at once (removeOnFail)?',
  );
}

/** BullMQ's add is a compare-and-set on the job id, and does not tell who won: the mark does. */
async function addJob(
  { queue, ledger }: Producer,
  plan: Plan,
  jobId: string,
): Promise<Scheduled | undefined> {
  const { key, token } = plan.mark;
  try {
    await queue.add(plan.name, plan.data, addOptions(plan, jobId));
    const found = await look(queue, ledger, key);
    const own = found.jobs.find(({ job }) => markOf(job)?.token === token);
    if (!own) return standingOf(found, plan);

    const { record } = found;
    if (record && isOver(record.state) && record.by !== `${queue.name}:${jobId}`) {
      // Cancelled or sent elsewhere meanwhile. Nobody adds a job over such a record, so this is ours.
      await own.job.remove().catch(() => {});
      return standingOf(found, plan);
    }
    const other = found.jobs.find((one) => one !== own && isWaiting(one.state));
    const first = other && found.jobs.indexOf(other) < found.jobs.indexOf(own);
    // Both stay where two were added in different places: the ledger lets one email out.
    if (first) return { key, state: 'already-scheduled', at: other.at, jobId: other.job.id };
    return { key, state: 'scheduled', at: new Date(plan.atMs), jobId };
  } catch (cause) {
    throw new ScheduleError(
      `It is not known whether the email ${key} is scheduled: queue or ledger did not answer. Schedule ` +
        'it again: what is scheduled already is not scheduled twice.',
      'maybe',
      cause,
    );
  }
}

/** The options of its job. */
export function addOptions({ atMs, jobOptions, mark }: Plan, jobId: string): object {
  // Timestamp and delay together are the moment, whenever the queue takes it.
  const timestamp = Date.now();
  return { ...jobOptions, jobId, timestamp, delay: Math.max(0, atMs - timestamp), sendonce: mark };
}

/** @throws {ScheduleError} */
export function freeIdOf({ freeId, jobs }: Found, key: string): string {
  if (freeId !== undefined) return freeId;
  throw new ScheduleError(
    `The email ${key} was not scheduled: it has ${jobs.length} jobs that ended and were kept, and nothing was ` +
      'sent. Find out why they failed, remove them from the queue (or retry one), and schedule it again.',
  );
}

/** What stands in the way of a new job; undefined when nothing does. */
function standingOf(found: Found, plan: Plan): Scheduled | undefined {
  const { key } = plan.mark;
  const status = statusOf(key, found);
  const fields = status.state === 'cancelled' ? undefined : conflictOf(found, plan);
  switch (status.state) {
    case 'not-scheduled':
    case 'failed':
      return undefined;
    case 'scheduled':
    case 'due':
      return fields
        ? { key, state: 'conflict', fields }
        : { ...status, state: 'already-scheduled' };
    case 'sent':
      return fields ? { key, state: 'conflict', fields } : { ...status, state: 'already-sent' };
    case 'sending':
    case 'rejected':
    case 'in-doubt':
    case 'cancelled':
      return fields ? { key, state: 'conflict', fields } : status;
  }
}

function conflictOf({ record, jobs }: Found, plan: Plan): readonly string[] | undefined {
  const { fingerprint } = plan.mark;
  const standing =
    record?.fingerprint ?? jobs.map(({ job }) => markOf(job)?.fingerprint).find(Boolean);
  if (fingerprint === undefined || standing === undefined || standing === fingerprint) return;
  return differingFields(standing, fingerprint);
}

function isOver(state: string): boolean {
  return state !== 'claimed' && state !== 'dispatched';
}
