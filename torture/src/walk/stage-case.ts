import { deriveKey, type Ledger } from '@sendonce/core';
import { Queue } from 'bullmq';
import { type Email, jobsOf, keyOf } from '../email.ts';
import type { WorkerPlan } from '../messages.ts';
import { isIdle } from '../progress.ts';
import { isLedgerName } from '../systems/names.ts';
import type { Timing } from '../timing.ts';
import type { Lane } from './lane.ts';
import type { Pool, Walker } from './pool.ts';
import { prepare } from './prepare.ts';
import type { Case } from './run-case.ts';
import type { Scenario } from './scenarios.ts';
import type { Servers } from './servers.ts';

/** Short, and yet so long that a lease rarely ends because the cores are busy. */
export const timing: Timing = {
  lockMs: 1_500,
  stalledMs: 500,
  leaseMs: 2_000,
  retentionMs: 3_600_000,
  mailTimeoutMs: 3_000,
  workMs: 0,
};
const BACKOFF_MS = 50;

/** Where a case runs. */
export interface Place {
  readonly servers: Servers;
  readonly pool: Pool;
  readonly lane: Lane;
}

/** One email with its jobs, in its own queue. */
export interface CaseStage {
  readonly email: Email;
  readonly key: string;
  readonly queue: Queue;
  /** Missing for a system without one. */
  readonly ledger: Ledger | undefined;
  readonly note: (who: string, what: string) => void;
  /** Gives the case to a process. */
  begin(aim?: Case['aim']): Promise<Walker>;
  /** No job runs any more, and the record has ended or is in doubt. */
  readonly isOver: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

let count = 0;

export async function stageCase(scenario: Scenario, place: Place): Promise<CaseStage> {
  const { servers, pool, lane } = place;
  const { route, copies = 1 } = scenario;
  const number = (count += 1);
  const skips = scenario.end === 'skipped';
  const email: Email = { number, route, copies, dueMs: 0, failsAfterSend: false, skips };
  const key = deriveKey(keyOf(email));
  const plan = planOf(scenario, number, place);
  const { name, prefix } = plan.queue;
  const queue = new Queue(name, { connection: servers.queue, prefix });
  // A new one is made by the process: here it is opened when all jobs have ended.
  const own = scenario.first && servers.openLater(plan.storePrefix);
  const ledger = own ? own.ledger : servers.ledger;

  lane.breakMail(scenario);
  if (ledger) await prepare(scenario, { key, ledger, servers, timing });
  await queue.addBulk(jobsOf(email, { backoff: BACKOFF_MS }));

  const note = (who: string, what: string) => lane.history.note({ email: number, who, what });
  return {
    email,
    key,
    queue,
    ledger,
    note,
    async begin(aim) {
      const walker = await pool.take();
      const who = walker.process.name;
      walker.start(
        { scenario, plan, aim },
        {
          onStep: ({ atMs, ...step }) => lane.history.note({ who, ...step }, atMs),
          onFailed: (error) => note(who, error),
          async onQuestion(question) {
            if (question === 'cancel it') {
              await ledger?.cancel({ key, retentionMs: timing.retentionMs });
              note('producer', 'cancelled');
            }
            return lane.answer(question, number);
          },
        },
      );
      return walker;
    },
    async isOver() {
      if (!(await isIdle(queue))) return false;
      return (await ledger?.read(key))?.state !== 'dispatched';
    },
    async close() {
      await own?.close();
      await queue.close();
    },
  };
}

function planOf(scenario: Scenario, number: number, { servers, lane }: Place): WorkerPlan {
  return {
    // The transporters of even workers are pools.
    worker: scenario.transport === 'pool' ? 2 : 1,
    system: servers.system,
    queue: { url: servers.queueUrl, name: `walk-${number}`, prefix: servers.prefix },
    storeUrls: scenario.network ? lane.proxiedUrls : servers.storeUrls,
    storePrefix: scenario.first ? `${servers.prefix}-${number}` : servers.prefix,
    ...lane.deliveries.reachedBy,
    concurrency: scenario.atOnce ?? 1,
    // A peer's lease is over when the job comes again, however late the stalled check is.
    timing: isLedgerName(servers.system) ? timing : { ...timing, leaseMs: timing.lockMs / 2 },
  };
}
