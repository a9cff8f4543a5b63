import { deriveKey } from '@sendonce/core';
import type { JobLike } from './options.ts';
import { checkScheduledKey, stampOf } from './schedule-stamp.ts';

/**
 * The key of a job's email.
 * @throws {KeyError} for a part that is missing or not JSON.
 * @throws {KeyChangedError} when the email was scheduled under another key.
 * @throws {ScheduleError} when another version of sendonce scheduled it.
 */
export function deriveJobKey<J extends JobLike>(job: J, select: (job: J) => unknown): string {
  const selected = select(job);
  const stamp = stampOf(job);
  if (stamp) return checkScheduledKey(stamp, selected);
  // All jobs of a scheduler have the same data: what differs is the iteration, and with it the id.
  return deriveKey(job.repeatJobKey ? [selected, job.id] : selected);
}
