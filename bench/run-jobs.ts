import { setTimeout as sleep } from 'node:timers/promises';
import { createToken } from '@sendonce/core/ledger';
import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Setup } from './results.ts';
import type { Notice, Work } from './system.ts';

export interface JobRun {
  readonly setup: Pick<Setup, 'workers' | 'perWorker'>;
  readonly jobs: number;
  readonly connection: Redis;
  readonly prefix: string;
  /** Of BullMQ, for another backend. @default those for Redis */
  readonly classes?: { readonly Queue: typeof Queue; readonly Worker: typeof Worker };
}

/** Called directly around the work: jobs are added before, and deleted after it. */
export interface Around {
  readonly beforeStart: () => Promise<void>;
  readonly afterEnd: () => void;
}

/** Completes the jobs in a new queue. Returns jobs per second, from the start of the workers. */
export async function runJobs(
  work: Work,
  { setup, jobs, connection, prefix, classes = { Queue, Worker } }: JobRun,
  around?: Around,
): Promise<number> {
  const name = `q${createToken()}`;
  const queue = new classes.Queue<Notice>(name, { connection, prefix });
  await addJobs(queue, jobs);
  const options = { connection, prefix, concurrency: setup.perWorker, autorun: false };
  const workers = Array.from(
    { length: setup.workers },
    () => new classes.Worker<Notice, unknown>(name, work, options),
  );
  const completed = allCompleted(workers, jobs);
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  await around?.beforeStart();
  const startMs = performance.now();
  for (const worker of workers) void worker.run();
  let seconds: number;
  try {
    await completed;
    seconds = (performance.now() - startMs) / 1000;
    around?.afterEnd();
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
    await queue.obliterate({ force: true });
    await queue.close();
  }
  // What this run has left to do must not fall into the next one.
  await sleep(20);
  return jobs / seconds;
}

async function addJobs(queue: Queue<Notice>, jobs: number): Promise<void> {
  const opts = { removeOnComplete: true };
  for (let added = 0; added < jobs; added += 500) {
    const length = Math.min(500, jobs - added);
    const bulk = Array.from({ length }, (_, index) => ({
      name: 'notice',
      // The name of the queue is drawn, so no order comes twice.
      data: { orderId: `${queue.name}-${added + index}`, to: 'customer@example.com' },
      opts,
    }));
    await queue.addBulk(bulk);
  }
}

/** Rejects when a job fails: a rate with failures in it would mean nothing. */
async function allCompleted(workers: readonly Worker[], jobs: number): Promise<void> {
  let completed = 0;
  await new Promise<void>((resolve, reject) => {
    for (const worker of workers) {
      worker.on('completed', () => void (++completed === jobs && resolve()));
      worker.on('failed', (_job, error) => reject(error));
      worker.on('error', (error) => console.error(error));
    }
  });
}
