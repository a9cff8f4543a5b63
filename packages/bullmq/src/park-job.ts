import { setTimeout as sleep } from 'node:timers/promises';
import { warnOnce } from '@sendonce/core/ledger';
import { delayedError } from './control-flow.ts';
import type { JobLike } from './options.ts';
import { MAX_SKEW_MS, measureSkew } from './queue-clock.ts';

/** The longest time for which a job is held here, because this machine's clock is wrong. */
const LONGEST_HOLD_MS = 2_000;

const LONGEST_PAUSE_MS = 15_000;

/** Grows from run to run of a job that comes back without using up an attempt, up to 15 s. */
export function growingWaitMs({ attemptsStarted = 1, attemptsMade = 0 }: JobLike): number {
  const earlier = Math.max(0, attemptsStarted - attemptsMade - 1);
  return Math.min(250 * 2 ** earlier, LONGEST_PAUSE_MS);
}

/**
 * Moves a job to delayed for a while, which uses up no attempt.
 *
 * BullMQ's delay ends by the clock of the worker that polls next. A machine whose clock is two
 * hours ahead would delay a job by two hours, and one whose clock is behind would not delay it at
 * all. Such a machine holds the job briefly, and then moves it behind the other waiting jobs,
 * unless the wait is much longer than the difference.
 *
 * @returns the error that the processor must throw, so that the worker leaves the job where it is.
 */
export async function parkJob(job: JobLike, waitMs: number, token: string): Promise<Error> {
  const skewMs = await measureSkew(job);
  if (Math.abs(skewMs) <= Math.max(MAX_SKEW_MS, waitMs / 2) || !job.promote) {
    await job.moveToDelayed?.(Date.now() + waitMs, token);
    return delayedError();
  }
  warnOnce(
    'SENDONCE_CLOCK',
    job.queueName ?? '',
    `sendonce: the clock of this machine is ${Math.round(Math.abs(skewMs) / 1000)} s ` +
      `${skewMs > 0 ? 'ahead of' : 'behind'} that of the queue's server. BullMQ delays jobs by it: emails leave ` +
      'too early or too late. Set the clock (NTP).',
  );
  await sleep(Math.min(waitMs, LONGEST_HOLD_MS));
  await job.moveToDelayed?.(Date.now(), token);
  // Its due time comes from a wrong clock. Another worker may have moved it already.
  await job.promote().catch(() => {});
  return delayedError();
}
