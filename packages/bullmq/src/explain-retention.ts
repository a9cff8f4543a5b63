import type { Finding } from '@sendonce/core';
import { type ExplainedNumbers, formatExact } from './explain-numbers.ts';
import type { Settings } from './explain-options.ts';

/** The same job may run again after its outcome has expired, by a retry or a stall. */
export function comebackAfterRetention(
  settings: Settings,
  { longestComebackMs, retentionMs }: ExplainedNumbers,
): Finding | undefined {
  if (longestComebackMs === undefined) {
    return {
      severity: 'info',
      check: 'backoff',
      found: `The backoff "${settings.backoff.type}" is a custom strategy, so the time of the last attempt cannot be computed.`,
      remedy: `Keep the sum of its waits well below the retention, ${formatExact(retentionMs)}.`,
    };
  }
  if (longestComebackMs <= retentionMs) return undefined;
  return {
    severity: 'error',
    check: 'retention',
    found:
      `The job may run again ${formatExact(longestComebackMs)} after the outcome, by its retries and stalls, but the ` +
      `outcome expires after ${formatExact(retentionMs)}: the email could be sent again.`,
    remedy: `Set retentionMs above ${formatExact(longestComebackMs)}.`,
  };
}

/**
 * A copy that is added while the first job waits, or right after it, is due a whole delay later.
 */
export function copyAfterRetention(
  { delay, jobId, removeOnComplete }: Settings,
  { longestComebackMs = 0, retentionMs }: ExplainedNumbers,
): Finding | undefined {
  const copyMs = delay + longestComebackMs;
  if (delay === 0 || copyMs <= retentionMs) return undefined;
  const kept = removeOnComplete === false;
  const found =
    jobId === undefined
      ? `A copy that is added before the first email is sent runs up to ${formatExact(copyMs)} after it`
      : `Once the job is ${kept ? 'cleaned from the queue' : 'removed (removeOnComplete)'}, its jobId may be added again: that copy runs ${formatExact(copyMs)} later`;
  return {
    severity: jobId !== undefined && kept ? 'warning' : 'error',
    check: 'delay',
    found: `${found}, but the outcome expires after ${formatExact(retentionMs)}: the email would be sent again.`,
    remedy: `Set retentionMs above ${formatExact(copyMs)}: the ledger stops a copy, not the jobId.`,
  };
}

/** The queue keeps jobs for longer than the ledger keeps their outcomes. */
export function retriedByHand(
  { removeOnComplete, removeOnFail }: Settings,
  { retentionMs }: ExplainedNumbers,
): Finding | undefined {
  const outlives = (keep: Settings['removeOnFail']) =>
    typeof keep === 'object'
      ? (ageMs(keep) ?? Infinity) > retentionMs
      : keep !== true && keep !== 0;
  const kept = [
    ...(outlives(removeOnComplete) ? ['completed'] : []),
    ...(outlives(removeOnFail) ? ['failed'] : []),
  ];
  if (kept.length === 0) return undefined;
  return {
    severity: 'info',
    check: 'retry by hand',
    found:
      `The queue may keep ${kept.join(' and ')} jobs for longer than the ledger keeps their outcomes (${formatExact(retentionMs)}): a job ` +
      'that a person retries after that sends its email again.',
    remedy: `Set removeOnComplete and removeOnFail to { age: ${Math.floor(retentionMs / 1000)} } (seconds), or do not retry older jobs.`,
  };
}

function ageMs(keep: object): number | undefined {
  const { age } = keep as { age?: number };
  return age === undefined ? undefined : age * 1000;
}
