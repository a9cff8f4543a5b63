import { ScheduleError } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { type EmailJob, type Found, look, moveTo } from './email-jobs.ts';
import { type EmailStatus, statusOf } from './email-status.ts';
import { markOf } from './mark.ts';
import { type Producer, scheduleEmail } from './schedule-email.ts';

/** What became of `reschedule()`. */
export type Rescheduled = { readonly key: string } & (
  | { readonly state: 'rescheduled'; readonly at: Date; readonly jobId: string }
  | { readonly state: 'not-scheduled' }
  | { readonly state: 'too-late'; readonly email: EmailStatus }
);

const TRIES = 5;

/** Moves the job that waits for its time, or gives one that has failed for good a successor. */
export async function rescheduleEmail(
  producer: Producer,
  key: string,
  atMs: number,
): Promise<Rescheduled> {
  let cause: unknown;
  for (let tried = 0; tried < TRIES; tried += 1) {
    const found = await look(producer.queue, producer.ledger, key);
    const email = statusOf(key, found);
    switch (email.state) {
      case 'not-scheduled':
        return { key, state: 'not-scheduled' };
      case 'failed':
        return revive(producer, { key, found, atMs });
      case 'scheduled':
        try {
          return await move({ key, found, atMs });
        } catch (error) {
          if (error instanceof ScheduleError) throw error;
          // It became due between the two, or the queue did not answer: look again.
          cause = error;
          continue;
        }
      case 'due':
        // Sooner than now is now.
        if (atMs <= Date.now()) return { ...email, state: 'rescheduled' };
        return { key, state: 'too-late', email };
      default:
        return { key, state: 'too-late', email };
    }
  }
  throw new ScheduleError(
    `It is not known whether the email ${key} was moved: the queue did not take it ${TRIES} times. Look at ` +
      'its status, and move it again.',
    'maybe',
    cause,
  );
}

interface Move {
  readonly key: string;
  readonly found: Found;
  readonly atMs: number;
}

async function move({ key, found, atMs }: Move): Promise<Rescheduled> {
  const delayed = found.jobs.filter(({ state }) => state === 'delayed');
  const [first] = delayed;
  if (!first) {
    throw new ScheduleError(
      `The email ${key} waits for its children in a flow and cannot be moved. Cancel it, and schedule it ` +
        'with an "occurrence".',
    );
  }
  // All of them: one left behind would send at the old time.
  await Promise.all(delayed.map((job) => moveTo(job, atMs)));
  return { key, state: 'rescheduled', at: new Date(atMs), jobId: first.job.id };
}

async function revive(producer: Producer, { key, found, atMs }: Move): Promise<Rescheduled> {
  const { job } = found.jobs.findLast(({ state }) => state === 'failed') as EmailJob;
  const {
    delay: _,
    timestamp: __,
    jobId: ___,
    parent: ____,
    ...jobOptions
  } = job.opts as Record<string, unknown>;
  const mark = markOf(job);
  const scheduled = await scheduleEmail(producer, {
    name: job.name,
    data: job.data,
    atMs,
    jobOptions,
    mark: { parts: '', ...mark, key, token: createToken() },
  });
  switch (scheduled.state) {
    case 'scheduled':
      return { key, state: 'rescheduled', at: scheduled.at, jobId: scheduled.jobId };
    case 'already-scheduled':
      return rescheduleEmail(producer, key, atMs);
    default: {
      const email = statusOf(key, await look(producer.queue, producer.ledger, key));
      return { key, state: 'too-late', email };
    }
  }
}
