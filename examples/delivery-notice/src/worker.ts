import { once } from '@sendonce/bullmq';
import { redisLedger } from '@sendonce/redis';
import { DelayedError, type Job, Worker } from 'bullmq';
import { composer } from './compose.ts';
import { readConfig, RETENTION_MS } from './config.ts';
import { connectForWork } from './connect.ts';
import { forLog } from './errors.ts';
import { dueMs, noticeKey, QUEUE } from './notices.ts';
import { type NoticeId, orderStore } from './order-store.ts';
import { endGracefully, ready } from './part.ts';
import { sender } from './send.ts';
import { loadTemplates } from './templates.ts';

/** Clocks of two machines differ. */
const EARLY_MS = 1_000;

const config = readConfig();
const { namespace, leaseMs } = config;
const compose = composer(await loadTemplates(config.templates), config.timeZone);
const redis = connectForWork(config.redisUrl);
const orders = orderStore(redis, namespace);
const mail = sender(config);

type NoticeJob = Job<NoticeId, { messageId: string }>;

/** The job only starts the worker. The order has the content and the time of the email. */
async function sendNotice(job: NoticeJob, token?: string): Promise<{ messageId: string }> {
  const order = await orders.read(job.data);
  if (!order) throw new Error('The order of this notice is gone.');
  const due = dueMs(order, config);
  if (due > Date.now() + EARLY_MS) {
    await job.moveToDelayed(due, token);
    throw new DelayedError();
  }
  return mail.send(compose({ ...order, orderId: job.data.orderId }));
}

const worker = new Worker<NoticeId, { messageId: string }>(
  QUEUE,
  once(sendNotice, {
    ledger: redisLedger(redis, { prefix: `${namespace}:ledger` }),
    key: (job) => noticeKey(job.data),
    dispatch: mail.dispatch,
    leaseMs,
    retentionMs: RETENTION_MS,
  }),
  {
    connection: redis,
    prefix: namespace,
    concurrency: 16,
    lockDuration: leaseMs,
    stalledInterval: leaseMs,
    // A job whose worker died is only run again: the ledger sees to it that its email is not.
    maxStalledCount: 10,
  },
);
// Neither of these names a customer: see send.ts and templates.ts.
worker.on('failed', (job, error) => console.error(`notice ${job?.id}: ${error.message}`));
worker.on('error', (error) => console.error(forLog(error)));
await worker.waitUntilReady();

endGracefully(async () => {
  // Waits for the jobs that are active.
  await worker.close();
  mail.close();
  redis.disconnect();
});
ready('The worker is ready.');
