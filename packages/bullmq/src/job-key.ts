import { deriveKey, KeyError } from '@sendonce/core';
import { catchRejection } from '@sendonce/core/ledger';
import type { JobLike, OnceOptions } from './options.ts';
import { checkScheduledKey, stampOf } from './schedule-stamp.ts';

/**
 * The key of a job's email.
 * @throws {KeyError} for a part that is missing or not JSON, and for a promise.
 * @throws {KeyChangedError} if the email was scheduled under another key.
 * @throws {ScheduleError} if another version of sendonce scheduled it.
 */
export function deriveJobKey<J extends JobLike>(
  job: J,
  { key: select, schedulerKey }: Pick<OnceOptions<J>, 'key' | 'schedulerKey'>,
): string {
  const selected = select(job);
  refusePromise('key', selected);
  const stamp = stampOf(job);
  if (stamp) return checkScheduledKey(stamp, selected);
  // All jobs of a scheduler have the same data. The id of the job names the iteration.
  const isIteration = job.repeatJobKey && schedulerKey !== 'complete';
  return deriveKey(isIteration ? [selected, job.id] : selected);
}

/** @throws {KeyError} for a promise, because the key must be known before anything runs. */
export function refusePromise(option: 'key' | 'fingerprint', selected: unknown): void {
  if (!catchRejection(selected, () => {})) return;
  throw new KeyError(
    `"${option}" returned a promise. Nothing was sent. Select from the data of the job, without "async".`,
  );
}
