/**
 * Schedules very many emails with scheduleEach(), from a stream, and shows what the producer uses.
 *
 *     npx tsx bench/schedule-stream.ts [emails, default 1000000]
 */
import { delayedEmails } from '@sendonce/bullmq';
import { redisLedger } from '@sendonce/redis';
import { namespace, startRedis } from '@sendonce/testkit';
import { wholeNumber } from '@sendonce/testkit/command-line';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { align } from './report/align.ts';

const POINTS = 10;
const step = Math.ceil(wholeNumber('emails', process.argv[2] ?? '1000000', [1, 10 ** 8]) / POINTS);
const count = step * POINTS;

const server = await startRedis();
const prefix = namespace('bench');
const connection = new Redis(server.url, { maxRetriesPerRequest: null });
const ledgerClient = connection.duplicate();
const queue = new Queue<{ order: number }>('notices', { connection, prefix });
const emails = delayedEmails(queue, {
  ledger: redisLedger(ledgerClient, { prefix }),
  key: ({ order }) => ['notice', order],
});

function* notices() {
  const at = new Date(Date.now() + 24 * 60 * 60 * 1000);
  for (let order = 1; order <= count; order++) yield { data: { order }, at };
}

const rows = [['emails', 'per second', 'heap of the producer, MB', 'its memory, MB']];
const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
let scheduled = 0;
let beforeMs = performance.now();
try {
  for await (const { state } of emails.scheduleEach(notices())) {
    if (state !== 'scheduled') throw new Error(`An email is ${state}.`);
    scheduled += 1;
    if (scheduled % step !== 0) continue;
    const nowMs = performance.now();
    const perSecond = step / ((nowMs - beforeMs) / 1000);
    beforeMs = nowMs;
    const { heapUsed, rss } = process.memoryUsage();
    const row = [scheduled.toLocaleString('en'), perSecond.toFixed(0)];
    rows.push([...row, megabytes(heapUsed), megabytes(rss)]);
    console.error(rows.at(-1)!.join('  '));
  }
  console.log(align(rows));
} finally {
  await queue.close();
  for (const client of [connection, ledgerClient]) client.disconnect();
  await server.stop();
}
