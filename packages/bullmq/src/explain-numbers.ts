import { formatDuration } from '@sendonce/core/inspect';
import type { Settings } from './explain-options.ts';

/**
 * What {@link explain} computes from your options, in milliseconds. Latencies and the time that a
 * job waits for a worker are not included: a queue that is paused for a week delays its retries by
 * a week.
 */
export interface ExplainedNumbers {
  /**
   * The longest time from the first attempt to the start of the last one, if each fails at once:
   * the sum of the backoffs. Undefined for a custom backoff strategy.
   */
  readonly lastAttemptMs: number | undefined;
  /**
   * The longest time from the death of a worker until another one runs its job: the lock must
   * expire, one check for stalled jobs marks the job, and the next check moves it.
   */
  readonly stallRecoveryMs: number;
  /**
   * The longest time from a death before the dispatch until the next attempt. Undefined if a person
   * must retry the job.
   */
  readonly retriedAfterMs: number | undefined;
  /**
   * The time from the last heartbeat of a sender that has dispatched until its email is in doubt.
   * On PostgreSQL the email is in doubt at once.
   */
  readonly doubtAfterMs: number;
  /**
   * The longest time from a death after the dispatch until the job runs again and finds the doubt.
   */
  readonly backInDoubtMs: number;
  /** How long after its dispatch an email in doubt may be sent again. Undefined if never. */
  readonly replayUntilMs: number | undefined;
  /** How long an outcome is kept. */
  readonly retentionMs: number;
  /**
   * The longest time after the outcome at which the same job can run again without a person.
   * Undefined for a custom backoff strategy.
   */
  readonly longestComebackMs: number | undefined;
}

export function compute(settings: Settings): ExplainedNumbers {
  const { leaseMs, lockDuration, stalledInterval, retentionMs, maxStalledCount } = settings;
  // All workers together check at most once per `stalledInterval`, because each check sets a key
  // that expires after it. A worker that asks just before the key expires waits for another
  // interval. A single worker does so about every second time (measured on BullMQ 5 and 6). So two
  // checks are up to two intervals apart.
  const checkMs = 2 * stalledInterval;
  const stallRecoveryMs = Math.max(lockDuration, checkMs) + checkMs;
  const doubtAfterMs = 2 * leaseMs;
  const lastAttemptMs = sumOfBackoffs(settings);
  return {
    lastAttemptMs,
    stallRecoveryMs,
    retriedAfterMs: maxStalledCount === 0 ? undefined : Math.max(stallRecoveryMs, leaseMs),
    doubtAfterMs,
    // Both times start with the death, which ends the renewal of the lock and of the claim.
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
