import { OptionError, ScheduleError } from '@sendonce/core';
import { bareError } from '@sendonce/core/ledger';
import {
  type EmailJob,
  type EmailSnapshot,
  isWaiting,
  loadEmail,
  moveJob,
  removeJobs,
} from './email-jobs.ts';
import { type EmailStatus, toStatus } from './email-status.ts';
import { addSuccessor, planSuccessor } from './replace-jobs.ts';
import { createStamp, notAfterOf, stampOf } from './schedule-stamp.ts';
import { copyJobOptions, type Producer, scheduleEmail } from './schedule-email.ts';
import { refuseNeverSent } from './when.ts';

/**
 * The answer of {@link DelayedEmails.reschedule}. `too-late` comes with the status that says why.
 */
export type Rescheduled = { readonly key: string } & (
  | { readonly state: 'rescheduled'; readonly at: Date; readonly jobId: string }
  | { readonly state: 'not-scheduled' }
  | { readonly state: 'too-late'; readonly email: EmailStatus }
);

/** The new times of an email. */
export interface NewTimes {
  readonly atMs: number;
  /** Undefined if it keeps the one that it has. */
  readonly notAfterMs: number | undefined;
}

const TRIES = 5;

/** Moves the job that waits for its time, or adds a new one if the job failed permanently. */
export async function rescheduleEmail(
  producer: Producer,
  key: string,
  times: NewTimes,
): Promise<Rescheduled> {
  let cause: unknown;
  for (let tried = 0; tried < TRIES; tried += 1) {
    const snapshot = await loadEmail(producer.queue, producer.ledger, key);
    const email = toStatus(key, snapshot);
    switch (email.state) {
      case 'not-scheduled':
      case 'skipped':
        return { key, state: 'not-scheduled' };
      case 'failed':
        return scheduleFailed(producer, { key, snapshot, times });
      case 'scheduled':
      case 'due':
        // A time in the past means now.
        if (email.state === 'due' && times.atMs > Date.now()) {
          return { key, state: 'too-late', email };
        }
        try {
          const moved = await moveEmail(producer, { key, snapshot, times });
          if (moved) return moved;
        } catch (error) {
          if (error instanceof ScheduleError || error instanceof OptionError) throw error;
          // It became due meanwhile, or the queue did not answer: load it again.
          cause = bareError(error);
        }
        continue;
      default:
        return { key, state: 'too-late', email };
    }
  }
  throw new ScheduleError(
    `It is unknown whether the email ${key} was moved: the queue failed ${TRIES} times. Check its status, ` +
      'then move it again.',
    'maybe',
    { cause },
  );
}

/** An email that is moved. */
export interface Move {
  readonly key: string;
  readonly snapshot: EmailSnapshot;
  readonly times: NewTimes;
}

/** Moves the jobs of an email. Undefined if the email must be loaded again. */
async function moveEmail(producer: Producer, move: Move): Promise<Rescheduled | undefined> {
  const { key, snapshot, times } = move;
  const movable = snapshot.jobs.filter(
    ({ state }) => isWaiting(state) && state !== 'waiting-children',
  );
  const [first] = movable;
  if (!first) {
    throw new ScheduleError(
      `The email ${key} waits for its children in a flow and cannot be moved. It is still scheduled. To send it ` +
        'at another time, cancel it and schedule it with an "occurrence".',
    );
  }
  const stale = findStale(movable, times);
  const kept = movable.find((job) => !stale.includes(job));
  const successor = kept ? undefined : await planSuccessor(move, first);
  const delayed = movable.filter((job) => job.state === 'delayed' && !stale.includes(job));
  // All of them, because one that is not moved would send at the old time. Those that are replaced
  // stay where they are until they are removed: after a crash, one that was moved behind its own
  // `notAfter` would be skipped.
  await Promise.all(delayed.map((job) => moveJob(job, times.atMs)));
  const jobId = successor ? await addSuccessor(producer, key, successor) : kept?.job.id;
  // The others go last: a crash before that leaves two jobs of one email, of which the ledger lets
  // one send. A job that is skipped blocks nothing.
  if (jobId === undefined || !(await removeJobs(stale))) return undefined;
  return { key, state: 'rescheduled', at: new Date(times.atMs), jobId };
}

/**
 * The jobs that have another `notAfter` than the email gets. A job keeps its options for life.
 * @throws {OptionError} if a job keeps a `notAfter` that is over at its new time.
 */
function findStale(jobs: readonly EmailJob[], { atMs, notAfterMs }: NewTimes): EmailJob[] {
  if (notAfterMs !== undefined) {
    return jobs.filter(({ job }) => notAfterOf(job)?.getTime() !== notAfterMs);
  }
  for (const { job } of jobs) refuseNeverSent(notAfterOf(job)?.getTime(), atMs);
  return [];
}

async function scheduleFailed(
  producer: Producer,
  { key, snapshot, times }: Move,
): Promise<Rescheduled> {
  const { atMs, notAfterMs } = times;
  const { job } = snapshot.jobs.findLast(({ state }) => state === 'failed') as EmailJob;
  const stamp = stampOf(job);
  if (notAfterMs === undefined) refuseNeverSent(stamp?.notAfterMs, atMs);
  const scheduled = await scheduleEmail(producer, {
    name: job.name,
    data: job.data,
    atMs,
    jobOptions: copyJobOptions(job),
    stamp: createStamp({
      parts: '',
      ...stamp,
      key,
      notAfterMs: notAfterMs ?? stamp?.notAfterMs,
    }),
  });
  switch (scheduled.state) {
    case 'scheduled':
      return { key, state: 'rescheduled', at: scheduled.at, jobId: scheduled.jobId };
    case 'already-scheduled':
      return rescheduleEmail(producer, key, times);
    default: {
      const email = toStatus(key, await loadEmail(producer.queue, producer.ledger, key));
      return { key, state: 'too-late', email };
    }
  }
}
