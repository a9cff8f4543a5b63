import type { Ledger } from '@sendonce/core';
import { namespace } from '@sendonce/testkit';
import { Queue } from 'bullmq';
import { type Crew, startCrew } from './crew.ts';
import { type Deliveries, startDeliveries } from './deliveries.ts';
import { type History, startHistory } from './history.ts';
import type { WorkerPlan } from './messages.ts';
import { redisStore, startStores, type Store } from './stores.ts';
import { systems } from './systems/index.ts';
import { isLedgerName, type SystemName } from './systems/names.ts';
import { connect, openLedger } from './systems/open-ledger.ts';
import { timing, type Timing } from './timing.ts';

/** Everything that a run needs: servers, a queue, and the means to start workers on them. */
export interface Stage {
  readonly history: History;
  readonly deliveries: Deliveries;
  /** The queue's Redis, then what the system keeps its records in. */
  readonly stores: readonly Store[];
  /** Past the proxies: no fault touches it. */
  readonly queue: Queue;
  /** Past the proxies; missing for a system without one. */
  readonly ledger: Ledger | undefined;
  /** Begins all its keys, or names its schema. */
  readonly prefix: string;
  readonly startWorkers: (count: number) => Promise<Crew>;
}

/** Nothing is left behind, also after Ctrl-C: processes and servers die with this one. */
export async function withStage<R>(
  system: SystemName,
  play: (stage: Stage) => Promise<R>,
  changes: Partial<Timing> = {},
): Promise<R> {
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

    const name = 'notices';
    const prefix = namespace('torture');
    const connection = connect(queueStore.directUrl);
    onEnd(async () => connection.disconnect());
    const queue = new Queue(name, { connection, prefix });
    queue.on('error', () => {});
    onEnd(() => queue.close());
    const urls = stores.map(({ directUrl }) => directUrl);
    const opened = isLedgerName(system) ? openLedger(system, urls, { prefix }) : undefined;
    onEnd(async () => opened?.close());
    // Makes its tables, before 32 workers want to.
    await opened?.ledger.read('A'.repeat(22));

    const planOf = (worker: number): WorkerPlan => ({
      worker,
      system,
      queue: { url: queueStore.url, name, prefix },
      storeUrls: stores.map(({ url }) => url),
      storePrefix: prefix,
      smtpPort: deliveries.smtp.port,
      provider: { url: deliveries.provider.url, apiKey: deliveries.provider.apiKey },
      concurrency: 4,
      timing: { ...timing, ...changes },
    });
    return await play({
      history,
      deliveries,
      stores: [queueStore, ...stores],
      queue,
      ledger: opened?.ledger,
      prefix,
      async startWorkers(count) {
        const crew = await startCrew(count, planOf, history);
        onEnd(crew.end);
        return crew;
      },
    });
  } finally {
    for (const step of steps.toReversed()) await step().catch(() => {});
  }
}
