import { warnOnce } from '@sendonce/core/ledger';
import { isBullMQControlFlow } from './control-flow.ts';
import { logToJob } from './job-log.ts';
import type { JobLike } from './options.ts';
import { growingWaitMs, parkJob } from './park-job.ts';
import { workerOf } from './worker-of.ts';

/** A job whose email was refused for now, by a provider that asked to wait. */
interface RefusedJob {
  readonly job: JobLike;
  /** BullMQ's lock token of this run. */
  readonly token: string | undefined;
  readonly onRefused: 'throw' | 'delay' | 'rate-limit' | undefined;
  readonly retryAfterMs: number;
  /** Why: a code, such as `429`. */
  readonly note: string | undefined;
}

/**
 * Delays a job by the time that the provider asked for, which uses up no attempt. Resolves if the
 * error of the processor must be thrown instead.
 */
export async function finishRefused(error: unknown, refused: RefusedJob): Promise<void> {
  const { job, token, onRefused = 'throw', retryAfterMs, note } = refused;
  if (onRefused === 'throw' || token === undefined || !job.moveToDelayed) return;
  if (isDecided(error)) return;
  // Also for "Retry-After: 0", which would be asked again and again without a pause.
  const waitMs = Math.max(retryAfterMs, growingWaitMs(job));
  const reason = note === undefined ? '' : ` (${note})`;
  const seconds = Math.ceil(waitMs / 1000);
  logToJob(
    job,
    `refused for now${reason}: not sent, the job comes back in ${seconds} s without using up an attempt`,
  );
  // First, so that the worker takes no other job when it is done with this one.
  if (onRefused === 'rate-limit') await pauseWorker(job, waitMs);
  throw await parkJob(job, waitMs, token);
}

/** Whether the processor has decided what happens to the job: it has moved it, or it gave up. */
function isDecided(error: unknown): boolean {
  const { name } = (error ?? {}) as { readonly name?: unknown };
  return isBullMQControlFlow(error) || name === 'UnrecoverableError';
}

/** The part of a BullMQ `Worker` that is used here. */
interface RateLimitable {
  rateLimit?(expireTimeMs: number): Promise<void>;
  readonly opts?: { readonly limiter?: object | undefined };
}

/** If that fails, the job is delayed all the same, and the next refusal pauses the worker. */
async function pauseWorker(job: JobLike, forMs: number): Promise<void> {
  const worker = workerOf(job) as RateLimitable | undefined;
  await worker?.rateLimit?.(forMs).catch(() => {});
  if (worker?.opts?.limiter) return;
  warnOnce(
    'SENDONCE_RATE_LIMIT',
    job.queueName ?? '',
    `sendonce: "onRefused" is "rate-limit", and the worker has no "limiter". BullMQ pauses a worker only if it has ` +
      'one (or its queue has a global rate limit), so the other emails may be refused as well. Give the Worker a ' +
      'limiter: { max, duration }.',
  );
}
