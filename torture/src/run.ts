import type { Queue } from 'bullmq';
import { checkAll, type Result } from './check.ts';
import { drawEmails, type Email, jobsOf } from './email.ts';
import { breakMail } from './faults/break-mail.ts';
import { drawFaults } from './faults/draw.ts';
import { type FaultCounts, healStores, strikeAll } from './faults/strike.ts';
import { startPerson } from './person.ts';
import { startProducer } from './producer.ts';
import { drained, type Progress, watchProgress } from './progress.ts';
import { withStage } from './stage.ts';
import type { SystemName } from './systems/names.ts';
import { backoff } from './timing.ts';

export interface RunOptions {
  readonly system: SystemName;
  readonly seed: number;
  readonly emails: number;
  readonly workers: number;
  /** For how long faults strike, in ms; all emails are due within it. */
  readonly forMs: number;
  /** Called with the progress, about once a second. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Run extends Result {
  readonly system: SystemName;
  readonly workers: number;
  readonly jobs: number;
  readonly faults: FaultCounts;
  /** Conversations with the mail server or the provider that went wrong. */
  readonly mailFaults: number;
  readonly resolvedByPerson: number;
  /** Delayed jobs that were moved to another time. */
  readonly moves: number;
  /** Worker processes that were started. */
  readonly processes: number;
  readonly tookMs: number;
  readonly servers: readonly string[];
}

/** One run: many emails, many workers, every fault, and the verdict on each email. */
export async function run(options: RunOptions): Promise<Run> {
  const { system, seed, workers, forMs, onProgress } = options;
  return withStage(system, async (stage) => {
    const { history, deliveries, stores, queue, ledger } = stage;
    const everyday = ledger !== undefined;
    const emails = drawEmails({ seed, count: options.emails, withinMs: forMs * 0.85, everyday });
    const jobs = await addJobs(queue, emails);
    const watch = watchProgress(queue, jobs, onProgress);
    const crew = await stage.startWorkers(workers);
    const person = ledger && startPerson({ ...stage, ledger, crew, emails });
    const producer = ledger && startProducer({ ...stage, ledger, emails });
    const mail = breakMail(seed, deliveries);
    watch.phase('under fire');
    const faults = await strikeAll(drawFaults({ seed, workers, forMs }), { ...stage, crew });
    watch.phase('letting everything end');
    await healStores(stores);
    await crew.heal();
    mail.stop();
    await producer?.stop();
    await drained(queue, ledger);
    // What the person retried at last ends, too.
    await person?.stop();
    await drained(queue, ledger);
    watch.phase('reading what is left');
    const cancelled = producer?.cancelled();
    const evidence = { emails, deliveries, queue, history, ledger, cancelled };
    const result = await checkAll(evidence, seed);
    watch.stop();
    return {
      ...result,
      system,
      workers,
      jobs,
      faults,
      mailFaults: mail.struck(),
      resolvedByPerson: person?.resolved() ?? 0,
      moves: producer?.moves() ?? 0,
      processes: crew.starts,
      tookMs: Date.now() - history.startedMs,
      servers: stores.map(({ name, how }) => `${name}: ${how}`),
    };
  });
}

async function addJobs(queue: Queue, emails: readonly Email[]): Promise<number> {
  const startedMs = Date.now();
  const jobs = emails.flatMap((email) =>
    jobsOf(email, { backoff, delay: Math.max(0, email.dueMs - (Date.now() - startedMs)) }),
  );
  const PAGE = 1_000;
  for (let start = 0; start < jobs.length; start += PAGE) {
    await queue.addBulk(jobs.slice(start, start + PAGE));
  }
  return jobs.length;
}
