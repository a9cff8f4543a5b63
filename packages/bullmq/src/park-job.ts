import { setTimeout as sleep } from 'node:timers/promises';
import { warnOnce } from '@sendonce/core/ledger';
import { delayedError } from './control-flow.ts';
import type { JobLike } from './options.ts';
import { connectionOf, workerOf } from './worker-of.ts';

/** How far the clock of this machine may be from that of the queue's server. */
const MAX_SKEW_MS = 5_000;
/** How long a job is held here at most, where BullMQ's own delay would go by a wrong clock. */
const LONGEST_HOLD_MS = 2_000;

/**
 * Gives a job back to the queue for a while; uses up no attempt.
 *
 * BullMQ's delay ends by the clock of the worker that polls next. A machine whose clock is two hours
 * ahead would park a job for two hours, and one whose clock is behind for no time at all. Such a
 * machine holds the job for a moment, and then puts it behind the other jobs that wait.
 *
 * @returns the error that tells the worker where the job is now.
 */
export async function parkJob(job: JobLike, waitMs: number, token: string): Promise<Error> {
  const skewMs = await measureSkew(job);
  if (Math.abs(skewMs) <= MAX_SKEW_MS || !job.promote) {
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
  // Its due time is a moment of a wrong clock. A poll of another worker may be faster.
  await job.promote().catch(() => {});
  return delayedError();
}

/** How far the clock of this machine is ahead of that of the queue's server; 0 where that is not known. */
async function measureSkew(job: JobLike): Promise<number> {
  try {
    const worker = workerOf(job);
    const client: Partial<Clock> | undefined = worker && (await connectionOf(worker));
    if (typeof client?.time !== 'function') return 0;
    const startedMs = Date.now();
    const [seconds, microseconds] = await client.time();
    const tookMs = Date.now() - startedMs;
    const serverMs = Number(seconds) * 1000 + Number(microseconds) / 1000;
    // Half of a slow answer would look like a wrong clock.
    const isKnown = tookMs < MAX_SKEW_MS && serverMs > YEAR_2020_MS;
    return isKnown ? startedMs + tookMs / 2 - serverMs : 0;
  } catch {
    // BullMQ itself says what is wrong with its connection.
    return 0;
  }
}

const YEAR_2020_MS = Date.UTC(2020);

interface Clock {
  /** TIME of Redis: seconds, and microseconds. */
  time(): Promise<[seconds: number | string, microseconds: number | string]>;
}
