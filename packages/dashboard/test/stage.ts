import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type JobRef, type Journal, type Ledger } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { type QueueOfJobs } from '@sendonce/core/inspect';
import { redisJournal, redisLedger } from '@sendonce/redis';
import { deleteNamespace, eventually, namespace } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { type Processor, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { expect, onTestFinished } from 'vitest';
import type { Viewer } from '../src/index.ts';

export const LEASE_MS = 300;
export const RETENTION_MS = 60 * 60 * 1000;

/**
 * One test's own part of the shared Redis: queue, ledger, journal. All of it ends with the test.
 */
export interface Stage {
  readonly prefix: string;
  readonly redis: Redis;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly queue: Queue;
  /** `lockMs`: after this time without a sign of life, BullMQ runs the job of a worker again. */
  worker(processor: Processor, options?: { readonly lockMs?: number }): Worker;
  /** Runs at the end of the test, last registered first. */
  onEnd(end: () => unknown): void;
}

export function startStage(url = redisUrl()): Stage {
  const prefix = namespace('dashboard');
  const ends: (() => unknown)[] = [];
  onTestFinished(async () => {
    for (const end of ends.toReversed()) await end();
    await deleteNamespace(redisUrl(), prefix);
  });
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on('error', () => {});
  ends.push(() => redis.disconnect());
  const queue = new Queue('notices', { connection: redis, prefix });
  ends.push(() => queue.close());
  return {
    prefix,
    redis,
    queue,
    ledger: redisLedger(redis, { prefix: `${prefix}:ledger` }),
    journal: redisJournal(redis, { prefix: `${prefix}:ledger`, intervalMs: 20 }),
    onEnd: (end) => void ends.push(end),
    worker(processor, { lockMs = LEASE_MS } = {}) {
      const worker = new Worker('notices', processor, {
        connection: redis,
        prefix,
        concurrency: 32,
        lockDuration: lockMs,
        stalledInterval: lockMs / 2,
        maxStalledCount: 100,
      });
      worker.on('error', () => {});
      ends.push(() => worker.close());
      return worker;
    },
  };
}

/** Adds an email whose sender does not know whether it was sent. @returns the token of the doubt */
export async function doubtfulEmail(
  { ledger, journal }: Pick<Stage, 'ledger' | 'journal'>,
  key: string,
  {
    label,
    note = 'ETIMEDOUT',
    job = { queue: 'notices', id: '1' },
  }: { label?: string; note?: string; job?: JobRef } = {},
): Promise<string> {
  const attempt = { key, token: createToken(), leaseMs: LEASE_MS, retentionMs: RETENTION_MS, job };
  await ledger.claim({ ...attempt, dispatched: true });
  await ledger.settle({ ...attempt, outcome: 'in-doubt', note });
  const { token } = attempt;
  journal.write({ key, type: 'claimed', atMs: Date.now(), token, job, label });
  journal.write({ key, type: 'in-doubt', atMs: Date.now(), token, job, label, note });
  await journal.flush();
  return token;
}

/** A queue with one failed job, for tests that are not about BullMQ. */
export function failedJob(id = '1'): QueueOfJobs & { retried: number } {
  const queue = {
    name: 'notices',
    retried: 0,
    async getJob(jobId: string) {
      if (jobId !== id) return undefined;
      return {
        getState: async () => 'failed',
        retry: async () => void (queue.retried += 1),
      };
    },
  };
  return queue;
}

/** The viewer that the header names. `ada` and `grace` may resolve. */
export function byHeader(request: Request): Viewer | undefined {
  const name = request.headers.get('x-user');
  return name === null ? undefined : { name, mayResolve: name === 'ada' || name === 'grace' };
}

/** Serves until the test ends; returns the origin. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function stateOf(
  queue: Queue,
  jobId: string | undefined,
  state: string,
): Promise<void> {
  await eventually(async () => expect(await queue.getJobState(jobId ?? '')).toBe(state), {
    timeoutMs: 15_000,
  });
}
