import { withTimeout } from '@sendonce/core/ledger';
import type { JobLike } from './options.ts';
import { connectionOf, workerOf } from './worker-of.ts';

/** The largest difference between the clocks of this machine and of the queue's server, in ms. */
export const MAX_SKEW_MS = 5_000;

/**
 * How far this machine's clock is ahead of that of the queue's server, in ms, by its command TIME.
 * 0 if that is unknown: on another server than Redis, in a unit test, or without an answer in time.
 */
export async function measureSkew(job: JobLike): Promise<number> {
  // A slow answer would look like a wrong clock, and the email of a job does not wait for it.
  return withTimeout(askServer(job), MAX_SKEW_MS, () => 0);
}

async function askServer(job: JobLike): Promise<number> {
  try {
    const worker = workerOf(job);
    const client: Partial<Clock> | undefined = worker && (await connectionOf(worker));
    if (typeof client?.time !== 'function') return 0;
    const startedMs = Date.now();
    const [seconds, microseconds] = await client.time();
    const tookMs = Date.now() - startedMs;
    const serverMs = Number(seconds) * 1000 + Number(microseconds) / 1000;
    const isKnown = tookMs < MAX_SKEW_MS && serverMs > YEAR_2020_MS;
    return isKnown ? startedMs + tookMs / 2 - serverMs : 0;
  } catch {
    // BullMQ reports an error of its connection.
    return 0;
  }
}

const YEAR_2020_MS = Date.UTC(2020);

interface Clock {
  /** The command TIME of Redis. */
  time(): Promise<[seconds: number | string, microseconds: number | string]>;
}
