import { pathToFileURL } from 'node:url';
import { type Ledger, OnceWorker } from '@sendonce/bullmq';
import { redisLedger } from '@sendonce/redis';
import { bundleWorker, type Servers, untilDone } from '@sendonce/testkit';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { Notice } from './processor.ts';

export interface Jobs {
  readonly copies: number;
  readonly useWorkerThreads: boolean;
  readonly fails?: Notice['fails'];
}

export interface Outcome {
  readonly completed: number;
  /** As the mail server counted them. */
  readonly emails: number;
  readonly inDoubt: number;
}

/** Adds copies of one delayed job, lets the processor file work them off, and counts. */
export async function runJobs(jobs: Jobs, servers: Servers): Promise<Outcome> {
  const { redisUrl, smtp, onEnd } = servers;
  const prefix = `${servers.prefix}-${runs++}`;
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  onEnd(async () => connection.disconnect());
  const ledger = redisLedger(connection, { prefix });
  // In an application the build has made it; a worker thread of plain Node runs no TypeScript.
  const file = await bundleWorker(new URL('./processor.ts', import.meta.url));
  const worker = new OnceWorker<Notice>('notices', pathToFileURL(file), {
    connection,
    prefix,
    concurrency: 4,
    useWorkerThreads: jobs.useWorkerThreads,
    once: { ledger, key: ({ data }) => ['delivery-notice', data.orderId, data.to] },
  });
  onEnd(() => worker.close(true));
  const queue = new Queue('notices', { connection, prefix });
  onEnd(() => queue.close());

  const earlier = smtp.received.length;
  const data: Notice = {
    orderId: 'order-7',
    to: 'ada@example.com',
    ...(jobs.fails && { fails: jobs.fails }),
  };
  const job = { name: 'notice', data, opts: { delay: 200, attempts: 3 } };
  await queue.addBulk(Array.from({ length: jobs.copies }, () => job));
  const completed = await untilDone(queue, jobs.copies);
  await worker.close();
  return {
    completed,
    emails: smtp.received.length - earlier,
    inDoubt: await countDoubts(ledger),
  };
}

let runs = 0;

async function countDoubts(ledger: Ledger): Promise<number> {
  let count = 0;
  for await (const _ of ledger.list({ state: 'in-doubt' })) count++;
  return count;
}
