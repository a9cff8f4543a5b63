import { jobIdOf, type Ledger, type LedgerRecord } from '@sendonce/core';
import { areOnlyJobs } from './queue-commands.ts';
import {
  blocks,
  buildJobOptions,
  type Plan,
  type Producer,
  type Scheduled,
} from './schedule-email.ts';

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
 * The ledger is read after the add, because `cancel()` cancels in the ledger and then looks for
 * jobs: one of the two sees the other.
 */
export async function addEmails(
  producer: Producer,
  plans: readonly Plan[],
  { added, answers }: AddedEmails,
): Promise<void> {
  const { queue, ledger } = producer;
  const adding = await omitKnown(producer, plans);
  if (adding.length === 0) return;
  for (const plan of adding) added.add(plan);
  await addJobs(queue, adding);
  const [isOnlyJob, records] = await Promise.all([
    areOnlyJobs(
      queue,
      adding.map(({ stamp }) => stamp),
    ),
    readRecords(ledger, adding),
  ]);
  for (const [index, plan] of adding.entries()) {
    const { key } = plan.stamp;
    const record = records[index]!;
    if (!isOnlyJob[index] || record === 'unknown') continue;
    const jobId = jobIdOf(key);
    if (record !== 'none' && blocks(record, { queue: queue.name, id: jobId })) continue;
    answers.set(plan, { key, state: 'scheduled', at: new Date(plan.atMs), jobId });
  }
}

/**
 * A worker may take a job that is due soon before it is seen that the email was sent long ago. Its
 * attempt would send nothing, but it would run. Such emails are looked for before their job is
 * added.
 */
async function omitKnown({ ledger }: Producer, plans: readonly Plan[]): Promise<Plan[]> {
  const soonMs = Date.now() + SOON_MS;
  const soon = plans.filter(({ atMs }) => atMs < soonMs);
  if (soon.length === 0) return [...plans];
  const records = await readRecords(ledger, soon);
  const known = new Set(soon.filter((_, index) => records[index] !== 'none'));
  return plans.filter((plan) => !known.has(plan));
}

/** Much longer than it takes to see what the add did and to remove the job again. */
const SOON_MS = 10_000;

const keyOf = ({ stamp }: Plan) => stamp.key;

async function addJobs(queue: Producer['queue'], plans: readonly Plan[]): Promise<void> {
  const jobs = plans.map((plan) => {
    const { name, data } = plan;
    return { name, data, opts: buildJobOptions(plan, jobIdOf(keyOf(plan))) };
  });
  const [first, ...others] = jobs;
  const isAlone = first && others.length === 0;
  await (isAlone ? queue.add(first.name, first.data, first.opts) : queue.addBulk(jobs));
}

/** A record that cannot be read must not fail the other emails. */
async function readRecords(
  ledger: Ledger,
  plans: readonly Plan[],
): Promise<readonly (LedgerRecord | 'none' | 'unknown')[]> {
  const reads = await Promise.allSettled(plans.map((plan) => ledger.read(keyOf(plan))));
  return reads.map((read) => (read.status === 'rejected' ? 'unknown' : (read.value ?? 'none')));
}
