import { jobIdOf, type Ledger, type LedgerRecord, ScheduleError } from '@sendonce/core';
import { bareError } from '@sendonce/core/ledger';

/**
 * The few things that `delayedEmails()` needs of a queue; every `Queue` of BullMQ 5 and 6 has them.
 */
export interface QueueLike<D> {
  readonly name: string;
  add(name: string, data: D, opts?: object): Promise<unknown>;
  getJob(jobId: string): Promise<StoredJob | undefined>;
  toKey(type: string): string;
  /** BullMQ 5. */
  readonly client?: Promise<unknown>;
  /** BullMQ 6: of a queue on Redis, or on PostgreSQL. */
  readonly backend?: object | undefined;
}

/** A job as the queue stores it. */
export interface StoredJob {
  readonly id?: string | undefined;
  readonly name: string;
  readonly data: unknown;
  readonly opts: { readonly delay?: number | undefined };
  readonly timestamp: number;
  readonly delay: number;
  readonly processedOn?: number | undefined;
  readonly finishedOn?: number | undefined;
  getState(): Promise<string>;
  changeDelay(delay: number): Promise<void>;
  remove(options?: { removeChildren?: boolean }): Promise<void>;
}

/** One job of an email, and BullMQ's state of it. */
export interface EmailJob {
  readonly job: StoredJob & { readonly id: string };
  readonly state: string;
  /** When a delayed job is due, where the queue tells. */
  readonly at: Date | undefined;
}

/** What the queue holds under one key. */
export interface EmailJobs {
  readonly jobs: readonly EmailJob[];
  /**
   * The id that a new job gets; undefined when each id is taken by a job that ended and was kept.
   */
  readonly nextJobId: string | undefined;
}

/** What queue and ledger hold under one key. */
export interface EmailSnapshot extends EmailJobs {
  readonly record: LedgerRecord | undefined;
}

/**
 * How many jobs one email may have, one after the other. BullMQ ignores a job whose id exists, also
 * one that has failed and was kept. Removing that one would be no compare-and-set: it could hit the
 * job that another producer has just put in its place. So the next one gets the next id.
 */
const MAX_JOB_IDS = 4;

/** The job ids of an email: derived from its key, so that a second schedule finds the first. */
function listJobIds(key: string): string[] {
  const first = jobIdOf(key);
  const others = Array.from({ length: MAX_JOB_IDS - 1 }, (_, index) => `${first}.${index + 2}`);
  return [first, ...others];
}

/**
 * Reads the queue first and the ledger last: an email that was sent between the two is then seen as
 * sent, and never as unknown.
 */
export async function loadEmail<D>(
  queue: QueueLike<D>,
  ledger: Ledger,
  key: string,
): Promise<EmailSnapshot> {
  const found = await loadJobs(queue, key);
  return { ...found, record: await ledger.read(key) };
}

/** What the queue alone holds. @throws {ScheduleError} when it does not answer. */
export async function loadJobs<D>(queue: QueueLike<D>, key: string): Promise<EmailJobs> {
  try {
    return await readJobs(queue, key);
  } catch (cause) {
    throw new ScheduleError(
      `The queue did not answer, so nothing is known about the email ${key} now. Call again.`,
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
    // Again, behind its state: a job that has moved since is then read as it is now.
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
  // A delay that differs from the first one shows that the job was moved, see findDueDate().
  await job.changeDelay(delay === job.opts.delay ? delay + 1 : delay);
}

/** BullMQ sorts delayed jobs by their time in ms, times this, and their order in it. */
const SCORES_PER_MS = 0x1000;

/**
 * When a delayed job is due. The job itself keeps a delay, and not from when it counts: after a move
 * (`job.changeDelay()`) or a retry that backs off, only its place in the queue tells.
 */
async function findDueDate<D>(queue: QueueLike<D>, job: StoredJob): Promise<Date | undefined> {
  const score = await findScore(queue, job);
  if (score !== undefined) return new Date(Math.floor(score / SCORES_PER_MS));
  if (job.processedOn !== undefined) return new Date(job.processedOn + job.delay);
  const { delay = 0 } = job.opts;
  return job.delay === delay ? new Date(job.timestamp + delay) : undefined;
}

/** Undefined for a queue that is not on Redis, and for a job that has just left the place. */
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

/** At the latest: the delay counts from a moment that is past. */
export function latestDueMs({ at, job, state }: EmailJob): number {
  return at?.getTime() ?? Date.now() + (state === 'delayed' ? job.delay : 0);
}

/** Whether a job has yet to run. */
export function isWaiting(state: string): boolean {
  return ['delayed', 'waiting', 'prioritized', 'paused', 'waiting-children'].includes(state);
}
