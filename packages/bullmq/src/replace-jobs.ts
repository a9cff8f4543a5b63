import { type RecordState, ScheduleError } from '@sendonce/core';
import { type EmailJob, loadEmail } from './email-jobs.ts';
import { isSameJob } from './job-ref.ts';
import type { Move } from './reschedule-email.ts';
import {
  buildJobOptions,
  copyJobOptions,
  type Plan,
  type Producer,
  requireJobId,
} from './schedule-email.ts';
import { createStamp, isStampedWith, stampOf } from './schedule-stamp.ts';

/** The job that takes the place of another one. */
export interface Successor {
  readonly jobId: string;
  readonly plan: Plan;
}

/**
 * Plans the job that takes the place of one with another `notAfter`.
 * @throws {ScheduleError} if the job is part of a flow: its parent and its children know it by its
 *   id. Nothing was changed.
 */
export async function planSuccessor(
  { key, snapshot, times }: Move,
  { job }: EmailJob,
): Promise<Successor> {
  const children = (await job.getChildrenValues?.()) ?? {};
  if (job.parentKey !== undefined || Object.keys(children).length > 0) {
    throw new ScheduleError(
      `The email ${key} is part of a flow, so its "notAfter" cannot be changed. It was not moved. Cancel it and ` +
        'schedule it with an "occurrence".',
    );
  }
  const { atMs, notAfterMs } = times;
  const stamp = createStamp({ parts: '', ...stampOf(job), key, notAfterMs });
  const jobOptions = copyJobOptions(job);
  const plan: Plan = { name: job.name, data: job.data, atMs, jobOptions, stamp };
  return { jobId: requireJobId(snapshot, key), plan };
}

/**
 * Adds the new job.
 * @returns its id. Undefined if the email was sent, cancelled or begun meanwhile, or if another
 *   call took the id.
 */
export async function addSuccessor(
  { queue, ledger }: Producer,
  key: string,
  { jobId, plan }: Successor,
): Promise<string | undefined> {
  await queue.add(plan.name, plan.data, buildJobOptions(plan, jobId));
  const { record, jobs } = await loadEmail(queue, ledger, key);
  const own = jobs.find(({ job }) => isStampedWith(plan.stamp.token, job));
  // With a fast worker, the new job may have ended, and may be removed.
  if (isSameJob(record?.job, { queue: queue.name, id: jobId })) return jobId;
  if (!record || !isFinal(record.state)) return own && jobId;
  await own?.job.remove().catch(() => {});
  return undefined;
}

/** Whether a record in this state prevents the email. */
function isFinal(state: RecordState): boolean {
  return state !== 'claimed' && state !== 'dispatched' && state !== 'skipped';
}
