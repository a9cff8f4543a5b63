import type { JobRef } from '@sendonce/core';
import type { JobLike } from './options.ts';

/** The job as a ledger names it. Undefined if the job has no id yet. */
export function refOf({ queueName, id }: JobLike): JobRef | undefined {
  return id === undefined || queueName === undefined ? undefined : { queue: queueName, id };
}

export function isSameJob(one: JobRef | undefined, other: JobRef | undefined): boolean {
  return one !== undefined && one.queue === other?.queue && one.id === other.id;
}
