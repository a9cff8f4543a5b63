import type { Ledger } from '@sendonce/core';
import { redisLedger, type RedisLedgerOptions } from '@sendonce/redis';
import { deleteNamespace, eventually, namespace } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import * as bullmq6 from 'bullmq';
import * as bullmq5 from 'bullmq5';
import { Redis } from 'ioredis';
import { describe, onTestFinished } from 'vitest';
import type { ProcessorOf } from '../src/index.ts';

export type BullMQ = typeof bullmq6;

const versions: { name: string; bullmq: BullMQ }[] = [
  { name: 'BullMQ 6', bullmq: bullmq6 },
  // The types of 5 and 6 differ in details that no test here uses.
  { name: 'BullMQ 5', bullmq: bullmq5 as unknown as BullMQ },
];

/** The same tests on BullMQ 6 and on BullMQ 5. */
export function onBothVersions(suite: (bullmq: BullMQ) => void): void {
  describe.each(versions)('$name', ({ bullmq }) => suite(bullmq));
}

export type Job = bullmq6.Job;
export type Queue = bullmq6.Queue;
export type Worker = bullmq6.Worker;
export type Process = ProcessorOf<Job, unknown>;
export type WorkerOptions = Partial<bullmq6.WorkerOptions>;

/** What happened to a job. */
export interface Ended {
  readonly id: string;
  readonly state: string;
  readonly attemptsMade: number;
  readonly attemptsStarted: number;
  readonly returnvalue: unknown;
  readonly failedReason: string | undefined;
  readonly progress: unknown;
  readonly logs: readonly string[];
  readonly delay: number;
  readonly processedOn: number;
}

/**
 * One test's own part of the shared Redis: queue prefix, ledger, workers. All of it ends with the
 * test.
 */
export interface Stage {
  readonly bullmq: BullMQ;
  readonly prefix: string;
  readonly connection: bullmq6.RedisOptions;
  /** The client of the ledger. */
  readonly redis: Redis;
  readonly ledger: Ledger;
  /** Runs at the end of the test, last registered first. */
  onEnd(end: () => unknown): void;
  client(url?: string, options?: object): Redis;
  ledgerOn(client: Redis, options?: RedisLedgerOptions): Ledger;
  queue(name?: string): Queue;
  worker(processor: Process, options?: WorkerOptions & { queue?: string }): Worker;
  /** What closes with the test, made elsewhere. */
  adopt<T extends { close(): Promise<unknown> }>(closable: T): T;
  /** Waits until the job has completed or failed. */
  ended(job: { id?: string | undefined }, options?: { queue?: string }): Promise<Ended>;
  look(job: { id?: string | undefined }, options?: { queue?: string }): Promise<Ended>;
  /** All keys of the ledger in Redis. */
  ledgerKeys(): Promise<string[]>;
}

export function startStage(bullmq: BullMQ = bullmq6): Stage {
  const prefix = namespace('bullmq');
  const connection = { ...urlParts(redisUrl()), maxRetriesPerRequest: null };
  const ends: (() => unknown)[] = [];
  const queues = new Map<string, Queue>();
  onTestFinished(async () => {
    for (const end of ends.toReversed()) await end();
    await deleteNamespace(redisUrl(), prefix);
  });

  // Closed while it still connects, BullMQ 5 leaves an unhandled rejection.
  function adoptReady<T extends Queue | Worker>(made: T): T {
    stage.adopt(made);
    ends.push(() => made.waitUntilReady().catch(() => {}));
    return made;
  }

  const stage: Omit<Stage, 'redis' | 'ledger'> = {
    bullmq,
    prefix,
    connection,
    onEnd: (end) => void ends.push(end),
    client(url = redisUrl(), options = {}) {
      const client = new Redis(url, { ...options });
      client.on('error', () => {});
      ends.push(() => client.disconnect());
      return client;
    },
    ledgerOn: (client, options = {}) =>
      redisLedger(client, { prefix: `${prefix}:ledger`, ...options }),
    queue(name = 'q') {
      let queue = queues.get(name);
      if (!queue) {
        queue = adoptReady(new bullmq.Queue(name, { connection, prefix }));
        queues.set(name, queue);
      }
      return queue;
    },
    worker(processor, { queue = 'q', ...options } = {}) {
      return adoptReady(new bullmq.Worker(queue, processor, { connection, prefix, ...options }));
    },
    adopt(closable) {
      // Workers say here that a connection closed under them, or that a lock was lost.
      (closable as unknown as Worker).on?.('error', () => {});
      ends.push(() => closable.close());
      return closable;
    },
    async look(job, { queue = 'q' } = {}) {
      const id = job.id ?? '';
      // The state first: what is read after it is at least as new.
      const state = await stage.queue(queue).getJobState(id);
      const found = await stage.queue(queue).getJob(id);
      if (!found) throw new Error(`the job ${id} is gone`);
      const { logs } = await stage.queue(queue).getJobLogs(id);
      return snapshot(found, state, logs);
    },
    ended: (job, options) =>
      eventually(
        async () => {
          const seen = await stage.look(job, options);
          if (seen.state !== 'completed' && seen.state !== 'failed') {
            throw new Error(`the job is ${seen.state}: ${seen.logs.join('; ')}`);
          }
          return seen;
        },
        { timeoutMs: 60_000, everyMs: 10 },
      ),
    ledgerKeys: () => redis.keys(`${prefix}:ledger*`),
  };
  const redis = stage.client();
  return Object.assign(stage, { redis, ledger: stage.ledgerOn(redis) });
}

function snapshot(job: Job, state: string, logs: readonly string[]): Ended {
  return {
    id: job.id ?? '',
    state,
    attemptsMade: job.attemptsMade,
    attemptsStarted: job.attemptsStarted,
    returnvalue: job.returnvalue as unknown,
    failedReason: job.failedReason,
    progress: job.progress,
    logs,
    delay: job.opts.delay ?? 0,
    processedOn: job.processedOn ?? 0,
  };
}

function urlParts(url: string) {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname,
    port: Number(port || 6379),
    db: Number(pathname.slice(1) || 0),
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  };
}

/** A gate at which a processor waits. It opens when the test ends, before workers close. */
export function gate(): { wait: Promise<void>; open: () => void } {
  let open!: () => void;
  const wait = new Promise<void>((resolve) => void (open = resolve));
  onTestFinished(open);
  return { wait, open };
}

/** The error that a worker emitted with 'failed' for the next job that fails. */
export function nextFailure(worker: Worker): Promise<Error & { code?: string }> {
  return new Promise((resolve) => void worker.once('failed', (_job, error) => resolve(error)));
}
