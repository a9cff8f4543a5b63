import { jobIdOf, type Ledger, type LedgerRecord, ScheduleError } from '@sendonce/core';
import { bareError } from '@sendonce/core/ledger';
import { countJobs, redisOf } from './queue-commands.ts';

/**
 * The part of a BullMQ `Queue` that {@link delayedEmails} uses. Every `Queue` of BullMQ 5 and 6
 * fits.
 */
export interface QueueLike<D> {
  readonly name: string;
  add(name: string, data: D, opts?: object): Promise<unknown>;
  addBulk(jobs: { name: string; data: D; opts?: object }[]): Promise<unknown>;
  getJob(jobId: string): Promise<StoredJob | undefined>;
  toKey(type: string): string;
  readonly opts?: { readonly telemetry?: object | undefined } | undefined;
  /** In BullMQ 5. */
  readonly client?: Promise<unknown>;
  /** In BullMQ 6, for a queue on Redis or on PostgreSQL. */
  readonly backend?: object | undefined;
}

/** A job of a queue, as far as {@link delayedEmails} uses it. */
export interface StoredJob {
  readonly id?: string | undefined;
  readonly name: string;
  readonly data: unknown;
  readonly opts: { readonly delay?: number | undefined };
  readonly timestamp: number;
  readonly delay: number;
  readonly processedOn?: number | undefined;
  readonly finishedOn?: number | undefined;
  /** Of a job that is a child in a flow. */
  readonly parentKey?: string | undefined;
  getChildrenValues?(): Promise<object>;
  getState(): Promise<string>;
  changeDelay(delay: number): Promise<void>;
  remove(options?: { removeChildren?: boolean }): Promise<void>;
}

/** One job of an email, and BullMQ's state of it. */
export interface EmailJob {
  readonly job: StoredJob & { readonly id: string };
  readonly state: string;
  /** When a delayed job is due, if that is known. */
  readonly at: Date | undefined;
}

/** The jobs of one email. */
export interface EmailJobs {
  readonly jobs: readonly EmailJob[];
  /**
   * The id of the next new job. Undefined if every id belongs to a job that ended and was kept.
   */
  readonly nextJobId: string | undefined;
}

/** What the queue and the ledger have of one email. */
export interface EmailSnapshot extends EmailJobs {
  readonly record: LedgerRecord | undefined;
}

/**
 * How many jobs one email may have, one after the other. BullMQ ignores a new job if its id exists,
 * even if that job failed and was kept. Removing the failed job is no compare-and-set: it could
 * remove the job that another producer has just added in its place. So the new job gets the next
 * id.
 */
const MAX_JOB_IDS = 4;

/** The job ids of an email: derived from its key, so that a second schedule finds the first. */
export function listJobIds(key: string): string[] {
  const first = jobIdOf(key);
  const others = Array.from({ length: MAX_JOB_IDS - 1 }, (_, index) => `${first}.${index + 2}`);
  return [first, ...others];
}

/**
 * Loads the queue first and the ledger last, so that an email that is sent between the two is seen
 * as sent and never as unknown.
 */
export async function loadEmail<D>(
  queue: QueueLike<D>,
  ledger: Ledger,
  key: string,
): Promise<EmailSnapshot> {
  const found = await loadJobs(queue, key);
  return { ...found, record: await ledger.read(key) };
}

/** The jobs of an email. @throws {ScheduleError} if the queue does not answer. */
export async function loadJobs<D>(queue: QueueLike<D>, key: string): Promise<EmailJobs> {
  try {
    return await readJobs(queue, key);
  } catch (cause) {
    throw queueUnavailable(key, cause);
  }
}

export function queueUnavailable(key: string, cause: unknown): ScheduleError {
  return new ScheduleError(
    `The queue did not answer, so the state of the email ${key} is unknown. Nothing was changed. Call again.`,
    'no',
    { cause: bareError(cause) },
  );
}

async function readJobs<D>(queue: QueueLike<D>, key: string): Promise<EmailJobs> {
  const ids = listJobIds(key);
  const [first, ...others] = ids;
  // Few emails have more than one job: whether there are others costs one command, not three.
  const [firstJob, hasOthers] = await Promise.all([
    queue.getJob(first!),
    countJobs(queue, others).then((count) => count > 0),
  ]);
  const otherJobs = hasOthers ? await Promise.all(others.map((id) => queue.getJob(id))) : [];
  const stored = [firstJob, ...otherJobs];
  const jobs = await Promise.all(
    stored.map(async (job, index) => job && readJob(queue, job, ids[index]!)),
  );
  return {
    jobs: jobs.filter((job) => job !== undefined),
    nextJobId: ids.find((_, index) => !stored[index]),
  };
}

async function readJob<D>(
  queue: QueueLike<D>,
  loaded: StoredJob,
  id: string,
): Promise<EmailJob | undefined> {
  const [state, score] = await Promise.all([loaded.getState(), findScore(queue, id)]);
  const isDelayed = state === 'delayed';
  if (isDelayed && score !== undefined) {
    return { job: Object.assign(loaded, { id }), state, at: toDueDate(score) };
  }
  // The job is read again after its state, because it may have changed in between.
  const job = await queue.getJob(id);
  if (!job) return undefined;
  const at = isDelayed ? estimateDueDate(job) : undefined;
  return { job: Object.assign(job, { id }), state, at };
}

/** Moves a delayed job, by BullMQ's own compare-and-set on its state. */
export async function moveJob({ job }: EmailJob, dueMs: number): Promise<void> {
  const delay = Math.max(0, dueMs - Date.now());
  // A delay that differs from the first one marks the job as moved, see findDueDate().
  await job.changeDelay(delay === job.opts.delay ? delay + 1 : delay);
}

/** BullMQ's score of a delayed job is its due time in ms, times this, plus a sequence number. */
const SCORES_PER_MS = 0x1000;

const toDueDate = (score: number) => new Date(Math.floor(score / SCORES_PER_MS));

/**
 * When a delayed job is due, by the job alone. It stores a delay, but not the moment from which it
 * counts. After `job.changeDelay()` or a backoff, only its score in the queue shows the due time.
 */
function estimateDueDate(job: StoredJob): Date | undefined {
  if (job.processedOn !== undefined) return new Date(job.processedOn + job.delay);
  const { delay = 0 } = job.opts;
  return job.delay === delay ? new Date(job.timestamp + delay) : undefined;
}

/**
 * The score of a delayed job. Undefined if the queue is not on Redis or the job is not delayed.
 */
async function findScore<D>(queue: QueueLike<D>, id: string): Promise<number | undefined> {
  const client = await redisOf(queue);
  const score = await client?.zscore?.(queue.toKey('delayed'), id);
  return score === undefined || score === null ? undefined : Number(score);
}

/** The latest time at which a job can be due: its delay counts from a moment in the past. */
export function latestDueMs({ at, job, state }: EmailJob): number {
  return at?.getTime() ?? Date.now() + (state === 'delayed' ? job.delay : 0);
}

/** Whether a job in this state has yet to run. */
export function isWaiting(state: string): boolean {
  return ['delayed', 'waiting', 'prioritized', 'paused', 'waiting-children'].includes(state);
}

/** Whether all of them were removed. One that a worker has begun cannot be. */
export async function removeJobs(jobs: readonly EmailJob[]): Promise<boolean> {
  const removed = await Promise.allSettled(jobs.map(({ job }) => job.remove()));
  return removed.every(({ status }) => status === 'fulfilled');
}
