import { formatDuration } from '@sendonce/core/inspect';
import type { Settings } from './explain-options.ts';

/**
 * What follows from the options, in ms. Latencies come on top, and the time that a job waits for a
 * worker: a queue that is paused for a week brings its retries back a week later.
 */
export interface ExplainedNumbers {
  /**
   * From the first attempt until the last one begins, at most, where each fails at once: the sum of
   * the backoffs. Undefined: a backoff strategy of your own.
   */
  readonly lastAttemptMs: number | undefined;
  /**
   * From the death of a worker until another one runs its job, at most: the lock has to run out,
   * and one check for stalled jobs has to mark the job before the next takes it.
   */
  readonly stallRecoveryMs: number;
  /**
   * From a death before the dispatch until the email is tried again, at most. Undefined: not
   * without a person.
   */
  readonly retriedAfterMs: number | undefined;
  /**
   * From the last sign of life of a sender that has dispatched until its email is in doubt
   * (PostgreSQL: at once).
   */
  readonly doubtAfterMs: number;
  /** From a death after the dispatch until the job is back and finds the doubt, at most. */
  readonly backInDoubtMs: number;
  /** From the dispatch until the end of the replays. Undefined: none. */
  readonly replayUntilMs: number | undefined;
  /** From the outcome until it is forgotten. */
  readonly retentionMs: number;
  /**
   * From the outcome until the last time that this very job can come back without a person, at
   * most.
   */
  readonly longestComebackMs: number | undefined;
}

export function compute(settings: Settings): ExplainedNumbers {
  const { leaseMs, lockDuration, stalledInterval, retentionMs, maxStalledCount } = settings;
  // The check of all workers together runs at most once in `stalledInterval`: a mark that lives so
  // long says so. A worker that asks a moment before it is gone waits a whole interval more, and a
  // worker alone does, about every second time (measured on BullMQ 5 and 6). So two checks are up
  // to two intervals apart.
  const checkMs = 2 * stalledInterval;
  const stallRecoveryMs = Math.max(lockDuration, checkMs) + checkMs;
  const doubtAfterMs = 2 * leaseMs;
  const lastAttemptMs = sumOfBackoffs(settings);
  return {
    lastAttemptMs,
    stallRecoveryMs,
    retriedAfterMs: maxStalledCount === 0 ? undefined : Math.max(stallRecoveryMs, leaseMs),
    doubtAfterMs,
    // Both begin with the death: the lock is no longer renewed, nor is the mark "still being sent".
    backInDoubtMs: Math.max(stallRecoveryMs, doubtAfterMs),
    replayUntilMs: settings.replayWithinMs,
    retentionMs,
    longestComebackMs:
      lastAttemptMs === undefined ? undefined : lastAttemptMs + maxStalledCount * stallRecoveryMs,
  };
}

/** How many attempts BullMQ makes at most. */
export function attemptsOf({ attempts, maxStartedAttempts = Infinity }: Settings): number {
  return Math.min(attempts, maxStartedAttempts);
}

/** Jitter only makes a wait shorter. */
function sumOfBackoffs(settings: Settings): number | undefined {
  const { type, delay = 0 } = settings.backoff;
  const retries = attemptsOf(settings) - 1;
  if (retries === 0 || (delay === 0 && isBuiltIn(type))) return 0;
  if (type === 'fixed') return retries * delay;
  if (type === 'exponential') return Math.round((2 ** retries - 1) * delay);
  return undefined;
}

function isBuiltIn(type: string): boolean {
  return type === 'fixed' || type === 'exponential';
}

/** A duration that was set or computed: `450 ms`, `60 s`, `15 min`, `7 days`. */
export function formatExact(ms: number): string {
  return formatDuration(ms, { exact: true });
}
