import { jobIdOf, type Ledger, type LedgerRecord, ScheduleError } from '@sendonce/core';
import { bareError } from '@sendonce/core/ledger';

/**
 * The part of a BullMQ `Queue` that {@link delayedEmails} uses. Every `Queue` of BullMQ 5 and 6
 * fits.
 */
export interface QueueLike<D> {
  readonly name: string;
  add(name: string, data: D, opts?: object): Promise<unknown>;
  getJob(jobId: string): Promise<StoredJob | undefined>;
  toKey(type: string): string;
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
function listJobIds(key: string): string[] {
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
    throw new ScheduleError(
      `The queue did not answer, so the state of the email ${key} is unknown. Nothing was changed. Call again.`,
      'no',
      bareError(cause),
    );
  }
}

async function readJobs<D>(queue: QueueLike<D>, key: string): Promise<EmailJobs> {
  const ids = listJobIds(key);
  const stored = await Promise.all(ids.map((id) => queue.getJob(id)));
  const jobs = stored.map(async (first, index) => {
    const id = ids[index];
    if (!first || id === undefined) return undefined;
    // The job is read again after its state, so that a job that was moved since has its new time.
    const [state, job] = await Promise.all([first.getState(), queue.getJob(id)]);
    if (!job) return undefined;
    const at = state === 'delayed' ? await findDueDate(queue, job) : undefined;
    return { job: Object.assign(job, { id }), state, at };
  });
  return {
    jobs: (await Promise.all(jobs)).filter((job) => job !== undefined),
    nextJobId: ids.find((_, index) => !stored[index]),
  };
}

/** Moves a delayed job, by BullMQ's own compare-and-set on its state. */
export async function moveJob({ job }: EmailJob, dueMs: number): Promise<void> {
  const delay = Math.max(0, dueMs - Date.now());
  // A delay that differs from the first one marks the job as moved, see findDueDate().
  await job.changeDelay(delay === job.opts.delay ? delay + 1 : delay);
}

/** BullMQ's score of a delayed job is its due time in ms, times this, plus a sequence number. */
const SCORES_PER_MS = 0x1000;

/**
 * When a delayed job is due. The job stores a delay, but not the moment from which it counts. After
 * `job.changeDelay()` or a backoff, only its score in the queue shows the due time.
 */
async function findDueDate<D>(queue: QueueLike<D>, job: StoredJob): Promise<Date | undefined> {
  const score = await findScore(queue, job);
  if (score !== undefined) return new Date(Math.floor(score / SCORES_PER_MS));
  if (job.processedOn !== undefined) return new Date(job.processedOn + job.delay);
  const { delay = 0 } = job.opts;
  return job.delay === delay ? new Date(job.timestamp + delay) : undefined;
}

/**
 * The score of a delayed job. Undefined if the queue is not on Redis or the job is no longer
 * delayed.
 */
async function findScore<D>(
  queue: QueueLike<D>,
  { id = '' }: StoredJob,
): Promise<number | undefined> {
  const { client: ofBackend } = (queue.backend ?? queue) as { readonly client?: unknown };
  const client = (await ofBackend) as
    | { zscore?(key: string, member: string): Promise<string | number | null> }
    | undefined;
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
