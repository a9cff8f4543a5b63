import type { Ledger } from '@sendonce/core';
import { namespace } from '@sendonce/testkit';
import { Queue } from 'bullmq';
import { type Crew, startCrew } from './crew.ts';
import { type Deliveries, startDeliveries } from './deliveries.ts';
import type { Notice } from './email.ts';
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
  readonly queue: Queue<Notice>;
  /** Past the proxies; missing for a system without one. */
  readonly ledger: Ledger | undefined;
  /** Begins all its keys, or names its schema. */
  readonly prefix: string;
  readonly startWorkers: (count: number) => Promise<Crew>;
}

type OnEnd = (step: () => Promise<unknown>) => void;

/** Does the steps at the end, the last one first, also after an error. */
export async function withSteps<R>(play: (onEnd: OnEnd) => Promise<R>): Promise<R> {
  const steps: (() => Promise<unknown>)[] = [];
  try {
    return await play((step) => void steps.push(step));
  } finally {
    for (const step of steps.toReversed()) await step().catch(() => {});
  }
}

export interface SystemServers {
  readonly system: SystemName;
  readonly queue: Store;
  /** What the system keeps its records in. */
  readonly stores: readonly Store[];
  readonly deliveries: Deliveries;
}

/** A new queue, the system's ledger, and the part of a worker's plan that describes both. */
export async function openSystem(
  name: string,
  { system, queue: queueStore, stores, deliveries }: SystemServers,
  onEnd: OnEnd,
) {
  const prefix = namespace(name);
  const connection = connect(queueStore.directUrl);
  onEnd(async () => connection.disconnect());
  const queue = new Queue<Notice>('notices', { connection, prefix });
  queue.on('error', () => {});
  onEnd(() => queue.close());
  const urls = stores.map(({ directUrl }) => directUrl);
  const opened = isLedgerName(system) ? openLedger(system, urls, { prefix }) : undefined;
  onEnd(async () => opened?.close());
  // Makes its tables, before the workers want to.
  await opened?.ledger.read('A'.repeat(22));
  return {
    queue,
    ledger: opened?.ledger,
    prefix,
    plan: {
      system,
      queue: { url: queueStore.url, name: queue.name, prefix },
      storeUrls: stores.map(({ url }) => url),
      storePrefix: prefix,
      ...deliveries.reachedBy,
    },
  };
}

/** Nothing is left behind, also after Ctrl-C: processes and servers die with this one. */
export function withStage<R>(
  system: SystemName,
  play: (stage: Stage) => Promise<R>,
  changes: Partial<Timing> = {},
): Promise<R> {
  return withSteps(async (onEnd) => {
    const history = startHistory();
    const deliveries = await startDeliveries(history);
    onEnd(deliveries.close);
    const queue = await redisStore('queue');
    onEnd(queue.stop);
    const { store, sharesQueue } = systems[system];
    const apart = sharesQueue ? [] : await startStores(store);
    for (const { stop } of apart) onEnd(stop);
    const stores = sharesQueue ? [queue] : apart;
    const { plan, ...opened } = await openSystem(
      'torture',
      { system, queue, stores, deliveries },
      onEnd,
    );
    const planOf = (worker: number): WorkerPlan => ({
      ...plan,
      worker,
      concurrency: 4,
      timing: { ...timing, ...changes },
    });
    return play({
      ...opened,
      history,
      deliveries,
      stores: [queue, ...apart],
      async startWorkers(count) {
        const crew = await startCrew(count, planOf, history);
        onEnd(crew.end);
        return crew;
      },
    });
  });
}
