import { randomUUID } from 'node:crypto';
import { once } from '@sendonce/bullmq';
import { deriveKey, type Journal, type Ledger } from '@sendonce/core';
import { readEmail } from '@sendonce/core/inspect';
import { redisJournal, redisLedger } from '@sendonce/redis';
import { type Job, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type Command, textOption } from '../command.ts';
import { toJson } from '../json.ts';
import { connectRedis } from '../connect-redis.ts';
import { renderTable } from '../table.ts';
import { exitCodes, UsageError } from '../terminal.ts';
import { renderEmail } from './show.ts';

const COPIES = 32;
const notice = { orderId: 4711 };
const keyParts = ['delivery-notice', notice.orderId];

export const demo: Command = {
  name: 'demo',
  usage: '--redis <url>',
  summary: '32 workers and 32 copies of one delayed notice, without and with once()',
  details: `Emails are counted instead of sent. All keys have a random prefix and are removed at the end. The demo of the repository (npx -y pnpm demo) shows all the ways in which an email is sent twice, with a real mail server.`,
  async run(commandLine, terminal) {
    const url = textOption(commandLine, 'redis') ?? terminal.env['SENDONCE_REDIS'];
    if (url === undefined) throw new UsageError('Give --redis <url>: BullMQ needs one.');
    const client = await connectRedis(url, { name: '--redis', forQueue: true });
    const prefix = `sendonce-demo-${randomUUID().slice(0, 8)}`;
    const ledger = redisLedger(client, { prefix });
    const journal = redisJournal(client, { prefix, intervalMs: 10 });
    try {
      const bare = await runCopies(client, `${prefix}:bare`);
      const guarded = await runCopies(client, `${prefix}:once`, { ledger, journal });
      await journal.flush();
      const rows = [
        ['bare BullMQ', String(bare)],
        ['with once()', String(guarded)],
      ];
      if (commandLine.json) {
        terminal.out(toJson({ copies: COPIES, bare, once: guarded }));
      } else {
        const email = await readEmail({ ledger, journal }, deriveKey(keyParts));
        const columns = [
          { title: `${COPIES} copies of one notice` },
          { title: 'emails', right: true },
        ];
        terminal.out(`${renderTable(columns, rows, terminal)}\n\n${renderEmail(email, terminal)}`);
      }
      return guarded === 1 ? exitCodes.ok : exitCodes.no;
    } finally {
      await removeAll(client, prefix);
      client.disconnect();
    }
  },
};

/** Runs all copies. @returns how many of them have sent */
async function runCopies(
  client: Redis,
  prefix: string,
  guard?: { readonly ledger: Ledger; readonly journal: Journal },
): Promise<number> {
  let sent = 0;
  const processor = async (_job: Job) => void sent++;
  const work = guard
    ? once(processor, { ...guard, key: () => keyParts, label: () => `order ${notice.orderId}` })
    : processor;
  const queue = new Queue('notices', { connection: client, prefix });
  const copies = Array.from({ length: COPIES }, () => ({
    name: 'notice',
    data: notice,
    opts: { delay: 100 },
  }));
  await queue.addBulk(copies);
  const workers = copies.map(() => new Worker('notices', work, { connection: client, prefix }));
  try {
    await new Promise<void>((resolve, reject) => {
      let ended = 0;
      for (const worker of workers) {
        worker.on('completed', () => void (++ended === COPIES && resolve()));
        worker.on('failed', (_failed, error) => reject(error));
        worker.on('error', () => {});
      }
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
    await queue.close();
  }
  return sent;
}

/** Removes all keys under the prefix of this run. */
async function removeAll(client: Redis, prefix: string): Promise<void> {
  for await (const keys of client.scanStream({ match: `${prefix}*`, count: 1000 })) {
    const found = keys as string[];
    if (found.length > 0) await client.del(...found);
  }
}
