import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../clock.ts';
import type { LedgerRecord } from '../record.ts';

/**
 * The part of a queue that is needed to run a job again; every `Queue` of BullMQ 5 and 6 has it.
 * See {@link retryJob}.
 */
export interface QueueOfJobs {
  /** The name of the queue. */
  readonly name: string;
  /** Reads a job. Undefined if there is none with this id. */
  getJob(jobId: string): Promise<RetriedJob | undefined>;
}

/** The part of a job that {@link retryIfFailed} needs. Every `Job` of BullMQ 5 and 6 has it. */
export interface RetriedJob {
  /** The state of the job in its queue: `failed`, `waiting`, … */
  getState(): Promise<string>;
  /** Moves a failed job back to the waiting jobs. */
  retry(state?: 'failed'): Promise<void>;
}

/**
 * Finds a queue by its name. Undefined where there is none.
 * See {@link QueueOfJobs}.
 */
export type FindQueue = (name: string) => QueueOfJobs | undefined;

/**
 * Runs the job of an email again, if it has failed. After a verdict it sends the email ("not-sent")
 * or completes ("sent"). `not-failed`: the job waits, runs, or is completed. `no-job`: the job
 * belongs to another queue, or was removed.
 * @throws what the queue throws: it is then unknown whether the job was retried.
 *
 * @example
 * const { state } = await resolveEmail({ ledger }, verdict);
 * if (state === 'resolved') await retryJob(queue, record);
 */
export async function retryJob(
  queue: QueueOfJobs,
  { job: ref }: Pick<LedgerRecord, 'job'>,
): Promise<'retried' | 'not-failed' | 'no-job'> {
  const job = ref?.queue === queue.name ? await queue.getJob(ref.id) : undefined;
  if (!job) return 'no-job';
  return (await retryIfFailed(job)) ? 'retried' : 'not-failed';
}

/** The job runs all the time. */
export class StillRunningError extends Error {}

const RUNS_AT_MOST_MS = 3_000;

/**
 * A run that met the doubt before the verdict, and asks its resolver, fails in a moment. Nothing
 * would run the job again then.
 */
async function stateAfterRun(job: RetriedJob): Promise<string> {
  const untilMs = nowMs() + RUNS_AT_MOST_MS;
  for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 2, 500)) {
    const state = await job.getState();
    if (state !== 'active') return state;
    if (nowMs() > untilMs) throw new StillRunningError('The job still runs: retry it if it fails.');
    await sleep(pauseMs);
  }
}

/**
 * Runs a job again if it has failed. A job that waits needs no retry.
 * See {@link retryJob}.
 */
export async function retryIfFailed(job: RetriedJob): Promise<boolean> {
  if ((await stateAfterRun(job)) !== 'failed') return false;
  try {
    await job.retry('failed');
  } catch (error) {
    // Another process may have retried it first. Then it is no longer failed, which is as good.
    if ((await job.getState()) === 'failed') throw error;
  }
  return true;
}
