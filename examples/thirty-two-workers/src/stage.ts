import type { Ledger } from '@sendonce/bullmq';
import {
  dropSchema,
  namespace,
  type SmtpServer,
  startSmtpServer,
  startTcpProxy,
  type TcpProxy,
} from '@sendonce/testkit';
import { Queue } from 'bullmq';
import { type GuardId, storeOf } from './guards.ts';
import type { CellPlan } from './messages.ts';
import type { ScenarioId } from './scenarios.ts';
import { openLedger } from './ledgers.ts';
import { CALM_LOCK_MS, LOCK_MS } from './timing.ts';
import { connectionsOf, type Stores, urlsOf } from './stores.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface CellOptions {
  readonly scenario: ScenarioId;
  readonly guard: GuardId;
  readonly pool: WorkerPool;
  readonly stores: Stores;
  /** The prefix of all keys of this run of the demo. */
  readonly namespace: string;
}

/** What one cell has for itself: a queue, a mail server, a namespace for its guard. */
export interface Stage {
  readonly plan: CellPlan;
  readonly queue: Queue;
  readonly smtp: SmtpServer;
  /** In front of the store of the guard, where its connection will be cut. */
  readonly proxy: TcpProxy | undefined;
  /** As the demo sees it; the workers have their own. */
  readonly ledger: Ledger;
  /** Whether all jobs have completed or failed permanently. */
  readonly jobsAreOver: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

const stopsAWorker: ReadonlySet<ScenarioId> = new Set([
  'blocked',
  'killed-after',
  'killed-before',
  'frozen',
]);

export async function buildStage(options: CellOptions): Promise<Stage> {
  const { scenario, guard, stores, namespace: prefix } = options;
  const name = `${scenario}-${guard}`;
  const smtp = await startSmtpServer();
  const [first, ...others] = urlsOf(guard, stores);
  const proxy = scenario === 'lost-reply' ? await startTcpProxy({ url: first }) : undefined;
  const queue = new Queue(name, { connection: stores.redis, prefix });
  // After Ctrl-C the server may be gone first; what matters rejects as well.
  queue.on('error', () => {});
  // A schema is dropped by its name; keys of Redis all begin with the prefix of the run.
  const inPostgres = storeOf(guard) === 'postgres';
  const guardPrefix = inPostgres ? namespace('demo') : `${prefix}-guard-${name}`;
  const { ledger, ready, close } = openLedger(guard, connectionsOf(guard, stores), guardPrefix);
  await ready();
  return {
    plan: {
      id: name,
      guard,
      queue: name,
      prefix,
      guardPrefix,
      redisUrl: stores.redisUrl,
      guardUrls: [proxy?.url ?? first, ...others],
      smtpPort: smtp.port,
      lockMs: stopsAWorker.has(scenario) ? LOCK_MS : CALM_LOCK_MS,
      failsAfterSend: scenario === 'error-after',
    },
    queue,
    smtp,
    proxy,
    ledger,
    async jobsAreOver() {
      const { completed = 0, failed = 0, ...others } = await queue.getJobCounts();
      return completed + failed > 0 && Object.values(others).every((count) => count === 0);
    },
    async close() {
      await Promise.all([smtp.close(), proxy?.close(), queue.close(), close()]);
      if (inPostgres) await dropSchema(first, guardPrefix);
    },
  };
}
