import { setTimeout as sleep } from 'node:timers/promises';
import type { JobsOptions, Queue } from 'bullmq';
import { type Deliveries, startDeliveries } from '../deliveries.ts';
import type { Notice } from '../email.ts';
import { startHistory } from '../history.ts';
import { drained, isIdle } from '../progress.ts';
import { openSystem, withSteps } from '../stage.ts';
import type { Store } from '../stores.ts';
import { systems } from '../systems/index.ts';
import type { SystemName } from '../systems/names.ts';
import { type Timing, timing } from '../timing.ts';
import { countEmails, type Counts } from './count.ts';
import type { Hold } from './messages.ts';
import { type PeerWorker, startPeerWorker } from './peer-worker.ts';

/** The servers of one system; scene after scene is played on them. */
export interface Servers {
  readonly queue: Store;
  /** Where the system remembers: none, one, or three nodes. */
  readonly stores: readonly Store[];
}

export interface SceneOptions {
  readonly system: SystemName;
  readonly servers: Servers;
  /** How many emails; each of them shall leave once. */
  readonly emails: number;
}

export interface Jobs extends JobsOptions {
  readonly copies?: number;
  readonly failsAfterSend?: boolean;
  /** @default all emails */
  readonly numbers?: readonly number[];
}

/** One system in one scenario. */
export interface Scene {
  readonly numbers: readonly number[];
  readonly stores: readonly Store[];
  readonly deliveries: Deliveries;
  readonly queue: Queue<Notice>;
  /** Begins all keys of the system. */
  readonly prefix: string;
  readonly add: (jobs?: Jobs) => Promise<void>;
  readonly startWorker: () => Promise<PeerWorker>;
  /** A worker that holds every email there; resolves when it does. */
  readonly holdAll: (where: Hold) => Promise<PeerWorker>;
  /** Resolves when no job is left to run. */
  readonly untilIdle: () => Promise<void>;
}

/**
 * Longer than the kit's: no process that is only slow shall lose its lock, or give up on the mail
 * server.
 */
export const peerTiming: Timing = {
  ...timing,
  lockMs: 4_000,
  // Over when the job comes again. Were it longer, the redelivery would take itself for a
  // duplicate.
  leaseMs: 3_500,
  mailTimeoutMs: 60_000,
};
/** How many jobs a worker has at a time: all copies of an email. */
const CONCURRENCY = 32;
/**
 * Together longer than every lease and freeze: a copy that gets "in progress" runs again when
 * they are over.
 */
const retries: JobsOptions = { attempts: 5, backoff: { type: 'exponential', delay: 400 } };

/** Lets it happen, waits until everything has ended, and counts. */
export async function playScene(
  { system, servers, emails }: SceneOptions,
  strike: (scene: Scene) => Promise<void>,
): Promise<Counts> {
  const { stores } = servers;
  return withSteps(async (onEnd) => {
    const deliveries = await startDeliveries(startHistory());
    onEnd(deliveries.close);
    const { queue, ledger, prefix, plan } = await openSystem(
      'peers',
      { system, ...servers, deliveries },
      onEnd,
    );
    const numbers = Array.from({ length: emails }, (_, number) => number);
    const workers: PeerWorker[] = [];
    onEnd(() => Promise.all(workers.map((worker) => worker.process.kill())));

    async function startWorker(holds?: Hold): Promise<PeerWorker> {
      const worker = await startPeerWorker({
        // Odd: without a pool of SMTP connections, so that all emails can be on their way at a
        // time.
        worker: 2 * workers.length + 1,
        ...plan,
        // Beside the emails that it holds.
        concurrency: CONCURRENCY + emails,
        timing: peerTiming,
        holds,
      });
      workers.push(worker);
      return worker;
    }

    async function add(jobs: Jobs = {}): Promise<void> {
      const { copies = 1, failsAfterSend = false, numbers: some = numbers, ...options } = jobs;
      const all = some.flatMap((number) => {
        const data: Notice = { number, route: 'at-send', failsAfterSend, skips: false };
        const opts = { ...retries, ...options, ...systems[system].jobOptions?.({ number }) };
        return Array.from({ length: copies }, () => ({ name: 'notice', data, opts }));
      });
      await queue.addBulk(all);
    }

    async function holdAll(where: Hold): Promise<PeerWorker> {
      const worker = await startWorker(where);
      await add();
      await worker.holds(emails);
      return worker;
    }

    await strike({
      numbers,
      stores,
      deliveries,
      queue,
      prefix,
      add,
      startWorker: () => startWorker(),
      holdAll,
      untilIdle: () => untilIdle(queue),
    });
    // The first worker was struck: what it still does may leave something to the last one.
    for (const worker of workers) {
      await drained(queue, ledger);
      await worker.end();
    }
    return countEmails(numbers, { deliveries, queue, ledger });
  });
}

async function untilIdle(queue: Queue<Notice>): Promise<void> {
  while (!(await isIdle(queue))) await sleep(15);
}
