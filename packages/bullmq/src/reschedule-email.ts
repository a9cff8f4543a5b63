import { ScheduleError } from '@sendonce/core';
import { bareError } from '@sendonce/core/ledger';
import { type EmailJob, type EmailSnapshot, loadEmail, moveJob } from './email-jobs.ts';
import { type EmailStatus, toStatus } from './email-status.ts';
import { createStamp, stampOf } from './schedule-stamp.ts';
import { type Producer, scheduleEmail } from './schedule-email.ts';

/**
 * The answer of {@link DelayedEmails.reschedule}. `too-late` comes with the status that says why.
 */
export type Rescheduled = { readonly key: string } & (
  | { readonly state: 'rescheduled'; readonly at: Date; readonly jobId: string }
  | { readonly state: 'not-scheduled' }
  | { readonly state: 'too-late'; readonly email: EmailStatus }
);

const TRIES = 5;

/** Moves the job that waits for its time, or adds a new one if the job failed permanently. */
export async function rescheduleEmail(
  producer: Producer,
  key: string,
  atMs: number,
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
        return scheduleFailed(producer, { key, snapshot, atMs });
      case 'scheduled':
        try {
          return await moveEmail({ key, snapshot, atMs });
        } catch (error) {
          if (error instanceof ScheduleError) throw error;
          // It became due meanwhile, or the queue did not answer: load it again.
          cause = bareError(error);
          continue;
        }
      case 'due':
        // A time in the past means now.
        if (atMs <= Date.now()) return { ...email, state: 'rescheduled', at: new Date() };
        return { key, state: 'too-late', email };
      default:
        return { key, state: 'too-late', email };
    }
  }
  throw new ScheduleError(
    `It is unknown whether the email ${key} was moved: the queue failed ${TRIES} times. Check its status, ` +
      'then move it again.',
    'maybe',
    cause,
  );
}

interface NewTime {
  readonly key: string;
  readonly snapshot: EmailSnapshot;
  readonly atMs: number;
}

async function moveEmail({ key, snapshot, atMs }: NewTime): Promise<Rescheduled> {
  const delayed = snapshot.jobs.filter(({ state }) => state === 'delayed');
  const [first] = delayed;
  if (!first) {
    throw new ScheduleError(
      `The email ${key} waits for its children in a flow and cannot be moved. It is still scheduled. To send it ` +
        'at another time, cancel it and schedule it with an "occurrence".',
    );
  }
  // All of them, because one that is not moved would send at the old time.
  await Promise.all(delayed.map((job) => moveJob(job, atMs)));
  return { key, state: 'rescheduled', at: new Date(atMs), jobId: first.job.id };
}

async function scheduleFailed(
  producer: Producer,
  { key, snapshot, atMs }: NewTime,
): Promise<Rescheduled> {
  const { job } = snapshot.jobs.findLast(({ state }) => state === 'failed') as EmailJob;
  const {
    delay: _,
    timestamp: __,
    jobId: ___,
    parent: ____,
    ...jobOptions
  } = job.opts as Record<string, unknown>;
  const stamp = stampOf(job);
  const scheduled = await scheduleEmail(producer, {
    name: job.name,
    data: job.data,
    atMs,
    jobOptions,
    stamp: createStamp({ parts: '', ...stamp, key }),
  });
  switch (scheduled.state) {
    case 'scheduled':
      return { key, state: 'rescheduled', at: scheduled.at, jobId: scheduled.jobId };
    case 'already-scheduled':
      return rescheduleEmail(producer, key, atMs);
    default: {
      const email = toStatus(key, await loadEmail(producer.queue, producer.ledger, key));
      return { key, state: 'too-late', email };
    }
  }
}
