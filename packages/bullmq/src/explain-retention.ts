import type { Finding } from '@sendonce/core';
import { type ExplainedNumbers, formatExact } from './explain-numbers.ts';
import type { Settings } from './explain-options.ts';

/** The job itself comes back after its outcome was forgotten: by a retry, or by a stall. */
export function comebackAfterRetention(
  settings: Settings,
  { longestComebackMs, retentionMs }: ExplainedNumbers,
): Finding | undefined {
  if (longestComebackMs === undefined) {
    return {
      severity: 'info',
      check: 'backoff',
      found: `The backoff "${settings.backoff.type}" is your own: nobody can compute when the last attempt begins.`,
      remedy: `Keep the sum of its waits well below the retention, ${formatExact(retentionMs)}.`,
    };
  }
  if (longestComebackMs <= retentionMs) return undefined;
  return {
    severity: 'error',
    check: 'retention',
    found:
      `The job may come back ${formatExact(longestComebackMs)} after the outcome, by its retries and stalls, but the ` +
      `outcome is forgotten after ${formatExact(retentionMs)}: the email could leave again.`,
    remedy: `Set retentionMs above ${formatExact(longestComebackMs)}.`,
  };
}

/**
 * A copy that was added while the first was waiting, or right after it, is due a whole delay later.
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
      ? `A copy that is added before the first email has left comes up to ${formatExact(copyMs)} after it`
      : `Once the job is ${kept ? 'cleaned from the queue' : 'removed (removeOnComplete)'}, its jobId may be added again: that copy comes ${formatExact(copyMs)} later`;
  return {
    severity: jobId !== undefined && kept ? 'warning' : 'error',
    check: 'delay',
    found: `${found}, but the outcome is forgotten after ${formatExact(retentionMs)}: the email would leave again.`,
    remedy: `Set retentionMs above ${formatExact(copyMs)}: what stops a copy is the ledger, not the jobId.`,
  };
}

/** A job that the queue keeps for longer than the ledger keeps its outcome. */
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
      `The queue may keep ${kept.join(' and ')} jobs for longer than the ledger their outcomes (${formatExact(retentionMs)}): one ` +
      'that a person retries after that sends its email as a new one.',
    remedy: `Set removeOnComplete and removeOnFail to { age: ${Math.floor(retentionMs / 1000)} } (seconds), or retry none that is older.`,
  };
}

function ageMs(keep: object): number | undefined {
  const { age } = keep as { age?: number };
  return age === undefined ? undefined : age * 1000;
}
