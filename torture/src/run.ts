import { namespace } from '@sendonce/testkit';
import { Queue } from 'bullmq';
import { checkAll, type Result } from './check.ts';
import { startCrew } from './crew.ts';
import { startDeliveries } from './deliveries.ts';
import { drawEmails, type Email, type Notice } from './email.ts';
import { breakMail } from './faults/break-mail.ts';
import { drawFaults } from './faults/draw.ts';
import { type FaultCounts, healStores, strikeAll } from './faults/strike.ts';
import { startHistory } from './history.ts';
import { jobIdsOf, startPerson } from './person.ts';
import { redisStore, startStores } from './stores.ts';
import { systems } from './systems/index.ts';
import { drained, watchProgress, type Progress } from './progress.ts';
import { isLedgerName, type SystemName } from './systems/names.ts';
import { connect, openLedger } from './systems/open-ledger.ts';
import { BACKOFF_MS, timing } from './timing.ts';

export interface RunOptions {
  readonly system: SystemName;
  readonly seed: number;
  readonly emails: number;
  readonly workers: number;
  /** For how long faults strike, in ms; all emails are due within it. */
  readonly forMs: number;
  /** Told how far it is, about once a second. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Run extends Result {
  readonly system: SystemName;
  readonly workers: number;
  readonly faults: FaultCounts;
  readonly mailFaults: number;
  readonly resolvedByPerson: number;
  readonly processes: number;
  readonly jobs: number;
  readonly tookMs: number;
  readonly servers: readonly string[];
}

/** One run: many emails, many workers, every fault, and the verdict on each email. */
export async function run(options: RunOptions): Promise<Run> {
  const { system, seed, workers, forMs } = options;
  const steps: (() => Promise<unknown>)[] = [];
  const onEnd = (step: () => Promise<unknown>) => void steps.push(step);
  try {
    const history = startHistory();
    const deliveries = await startDeliveries(history);
    onEnd(deliveries.close);
    const queueStore = await redisStore('queue');
    onEnd(queueStore.stop);
    const stores = await startStores(systems[system].store);
    for (const { stop } of stores) onEnd(stop);
    const all = [queueStore, ...stores];

    const name = 'notices';
    const prefix = namespace('torture');
    const connection = connect(queueStore.directUrl);
    onEnd(async () => connection.disconnect());
    const queue = new Queue(name, { connection, prefix });
    queue.on('error', () => {});
    onEnd(() => queue.close());
    const opened = isLedgerName(system)
      ? openLedger(
          system,
          stores.map(({ directUrl }) => directUrl),
          prefix,
        )
      : undefined;
    onEnd(async () => opened?.close());
    const ledger = opened?.ledger;
    // Makes its tables, before 32 workers want to.
    await ledger?.read('A'.repeat(22));

    const emails = drawEmails({ seed, count: options.emails, withinMs: forMs * 0.85 });
    const jobs = await addJobs(queue, emails);
    const crew = await startCrew(
      workers,
      (worker) => ({
        worker,
        system,
        queue: { url: queueStore.url, name, prefix },
        storeUrls: stores.map(({ url }) => url),
        storePrefix: prefix,
        smtpPort: deliveries.smtp.port,
        provider: { url: deliveries.provider.url, apiKey: deliveries.provider.apiKey },
        concurrency: 4,
        timing,
      }),
      history,
    );
    onEnd(crew.end);

    const desk = ledger && { ledger, queue, crew, deliveries, emails, history };
    const person = desk && startPerson(desk);
    const mail = breakMail(seed, deliveries.smtp, deliveries.provider);
    const watch = watchProgress(queue, jobs, options.onProgress);
    const faults = await strikeAll(drawFaults({ seed, workers, forMs }), {
      crew,
      stores: all,
      history,
    });
    await healStores(all);
    await crew.heal();
    mail.stop();
    watch.phase('letting everything end');
    await drained(queue, ledger);
    await person?.stop();
    await drained(queue, ledger);
    watch.phase('reading what is left');
    const result = await checkAll({ emails, deliveries, queue, history, ledger }, seed);
    watch.stop();
    return {
      ...result,
      system,
      workers,
      faults,
      mailFaults: mail.struck(),
      resolvedByPerson: person?.resolved() ?? 0,
      processes: crew.starts,
      jobs,
      tookMs: Date.now() - history.startedMs,
      servers: all.map(({ name: server, how }) => `${server}: ${how}`),
    };
  } finally {
    for (const step of steps.toReversed()) await step().catch(() => {});
  }
}

async function addJobs(queue: Queue, emails: readonly Email[]): Promise<number> {
  const startedMs = Date.now();
  const jobs = emails.flatMap((email) => {
    const { number, route, failsAfterSend } = email;
    const data: Notice = { number, route, failsAfterSend };
    return jobIdsOf(email).map((jobId) => ({
      name: 'notice',
      data,
      opts: {
        jobId,
        delay: Math.max(0, email.dueMs - (Date.now() - startedMs)),
        // Never given up: whatever ends without an email has to say so.
        attempts: 1_000_000,
        backoff: { type: 'fixed', delay: BACKOFF_MS, jitter: 0.5 },
      },
    }));
  });
  const PAGE = 1_000;
  for (let start = 0; start < jobs.length; start += PAGE) {
    await queue.addBulk(jobs.slice(start, start + PAGE));
  }
  return jobs.length;
}
