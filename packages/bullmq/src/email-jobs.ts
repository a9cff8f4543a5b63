import { type Ledger, type LedgerRecord, ScheduleError } from '@sendonce/core';

/** The few things that `delayedEmails()` needs of a queue; every `Queue` of BullMQ 5 and 6 has them. */
export interface QueueLike<D> {
  readonly name: string;
  add(name: string, data: D, opts?: object): Promise<unknown>;
  getJob(jobId: string): Promise<StoredJob | undefined>;
  getJobLogs(jobId: string): Promise<{ readonly logs: string[] }>;
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
  log(row: string): Promise<unknown>;
}

/** One job of an email, and where it stands. */
export interface EmailJob {
  readonly job: StoredJob & { readonly id: string };
  readonly state: string;
  /** When it is due. */
  readonly at: Date;
}

/** What queue and ledger hold under one key. */
export interface Found {
  readonly record: LedgerRecord | undefined;
  readonly jobs: readonly EmailJob[];
  /** Where a new job can be put; undefined when each place is taken by a job that ended and was kept. */
  readonly freeId: string | undefined;
}

/**
 * How many jobs one email may have, one after the other. BullMQ ignores a job whose id exists, also
 * one that has failed and was kept. Removing that one would be no compare-and-set: it could hit the
 * job that another producer has just put in its place. So the next one gets the next id.
 */
const PLACES = 4;

/** The job ids of an email: derived from its key, so that a second schedule finds the first. */
export function jobIdsOf(key: string): string[] {
  return Array.from(
    { length: PLACES },
    (_, place) => `email-${key}${place ? `.${place + 1}` : ''}`,
  );
}

/**
 * Looks at the queue first and at the ledger last: an email that was sent between the two looks is
 * then seen as sent, and never as one that nobody knows.
 */
export async function look<D>(queue: QueueLike<D>, ledger: Ledger, key: string): Promise<Found> {
  const found = await jobsOf(queue, key);
  return { ...found, record: await ledger.read(key) };
}

/** What the queue alone holds. @throws {ScheduleError} when it does not answer. */
export async function jobsOf<D>(queue: QueueLike<D>, key: string): Promise<Omit<Found, 'record'>> {
  try {
    return await readJobs(queue, key);
  } catch (cause) {
    throw new ScheduleError(
      `The queue did not answer, so nothing is known about the email ${key} now. Call again.`,
      'no',
      cause,
    );
  }
}

async function readJobs<D>(queue: QueueLike<D>, key: string): Promise<Omit<Found, 'record'>> {
  const ids = jobIdsOf(key);
  const stored = await Promise.all(ids.map((id) => queue.getJob(id)));
  const jobs = stored.map(async (first, place) => {
    const id = ids[place];
    if (!first || id === undefined) return undefined;
    // Again, behind its state: a job that has moved since is then read as it is now.
    const [state, job] = await Promise.all([first.getState(), queue.getJob(id)]);
    if (!job) return undefined;
    return { job: Object.assign(job, { id }), state, at: await dueOf(queue, job, state) };
  });
  return {
    jobs: (await Promise.all(jobs)).filter((job) => job !== undefined),
    freeId: ids.find((_, place) => !stored[place]),
  };
}

const moved = 'sendonce: moved to ';

/** Moves a delayed job, by BullMQ's own compare-and-set on its state, and notes it in its log. */
export async function moveTo({ job }: EmailJob, dueMs: number): Promise<void> {
  const delay = Math.max(0, dueMs - Date.now());
  await job.changeDelay(delay);
  // BullMQ keeps the new delay, and not from when it counts: `dueOf` reads this line.
  await job.log(`${moved}${new Date(dueMs).toISOString()} (delay ${delay})`).catch(() => {});
}

async function dueOf<D>(queue: QueueLike<D>, job: StoredJob, state: string): Promise<Date> {
  const scheduled = new Date(job.timestamp + (job.opts.delay ?? 0));
  if (!isWaiting(state)) return scheduled;
  const { logs } = await queue.getJobLogs(job.id ?? '');
  const line = logs.findLast((row) => row.startsWith(moved));
  const [, iso, delay] = line?.match(/moved to (\S+) \(delay (\d+)\)$/) ?? [];
  if (iso && (state !== 'delayed' || Number(delay) === job.delay)) return new Date(iso);
  // A retry that backs off: from its last run on.
  if (state === 'delayed' && job.processedOn) return new Date(job.processedOn + job.delay);
  return scheduled;
}

/** Whether a job has yet to run. */
export function isWaiting(state: string): boolean {
  return ['delayed', 'waiting', 'prioritized', 'paused', 'waiting-children'].includes(state);
}
