import { setImmediate as nextTurn } from 'node:timers/promises';
import { jobIdOf, type Ledger, type LedgerRecord } from '@sendonce/core';
import { isOnlyJob, onlyJobsOnRedis } from './queue-commands.ts';
import { buildJobOptions, type Plan, type Producer, type Scheduled } from './schedule-email.ts';

/** What is known of a page of emails while their jobs are added. */
export interface AddedEmails {
  /** Those whose job may be in the queue. */
  readonly added: Set<Plan>;
  readonly answers: Map<Plan, Scheduled>;
}

/**
 * Adds the jobs of a page of emails, then looks at what it did, with few commands for the whole
 * page. BullMQ's add is a compare-and-set on the job id, and the stamp shows which call added the
 * job. Collects the answers of the emails that were new, as most are.
 *
 * The emails that have a record are left out. If a job were added over a record, and the process
 * were killed before it removes the job, the job would stay. When it is due, the record may have
 * expired, and the email would be sent again.
 */
export async function addEmails(
  producer: Producer,
  plans: readonly Plan[],
  { added, answers }: AddedEmails,
): Promise<void> {
  const adding = await omitKnown(producer, plans);
  if (adding.length === 0) return;
  for (const plan of adding) added.add(plan);
  const isNew = await addJobs(producer, adding);
  for (const [index, { stamp, atMs }] of adding.entries()) {
    if (!isNew[index]) continue;
    const { key } = stamp;
    const at = new Date(atMs);
    answers.set(adding[index]!, { key, state: 'scheduled', at, jobId: jobIdOf(key) });
  }
}

/** The emails without a record. The others are known: most of them were sent or cancelled. */
async function omitKnown({ ledger }: Producer, plans: readonly Plan[]): Promise<Plan[]> {
  const records = await readRecords(ledger, plans);
  return plans.filter((_, index) => records[index] === 'none');
}

/**
 * Adds the jobs.
 * @returns for each one whether it was added, is the only job of its email, and the email was not
 *   cancelled meanwhile.
 */
async function addJobs(
  { queue, ledger }: Producer,
  plans: readonly Plan[],
): Promise<readonly boolean[]> {
  const stamps = plans.map(({ stamp }) => stamp);
  const jobs = plans.map((plan) => {
    const { name, data, stamp } = plan;
    return { name, data, opts: buildJobOptions(plan, jobIdOf(stamp.key)) };
  });
  const [first, ...others] = jobs;
  const isAlone = first && others.length === 0;
  const add = () => (isAlone ? queue.add(first.name, first.data, first.opts) : queue.addBulk(jobs));
  const findOnlyJobs = await onlyJobsOnRedis(queue);
  if (findOnlyJobs) {
    // Both are on their way at the same time. If the question is executed first, no job has its
    // token, and the email is loaded like one that is known.
    const [isOnly] = await Promise.all([nextTurn().then(() => findOnlyJobs(stamps)), add()]);
    return isOnly;
  }
  await add();
  // Without a trace in the queue, the ledger must be asked after the add, because `cancel()`
  // cancels in the ledger and then looks for jobs.
  const [isOnly, records] = await Promise.all([
    Promise.all(stamps.map((stamp) => isOnlyJob(queue, stamp))),
    readRecords(ledger, plans),
  ]);
  return isOnly.map((only, index) => only && records[index] === 'none');
}

/** A record that cannot be read must not fail the other emails. */
async function readRecords(
  ledger: Ledger,
  plans: readonly Plan[],
): Promise<readonly (LedgerRecord | 'none' | 'unknown')[]> {
  const reads = await Promise.allSettled(plans.map(({ stamp }) => ledger.read(stamp.key)));
  return reads.map((read) => (read.status === 'rejected' ? 'unknown' : (read.value ?? 'none')));
}
