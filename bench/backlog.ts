/**
 * What people wait for while very many emails are in doubt in a Redis ledger, and for how long one
 * command of it holds up Redis, by the server's own clock.
 *
 *     npx tsx bench/backlog.ts [emails in doubt, default 100000]
 */
import { deriveKey, type Ledger } from '@sendonce/core';
import { findEmails, listAtMost, overviewOf } from '@sendonce/core/inspect';
import { createToken } from '@sendonce/core/ledger';
import { redisLedger } from '@sendonce/redis';
import { median, startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import { align } from './report/align.ts';

const count = Number(process.argv[2] ?? 100_000);
const ROUNDS = 5;
const AT_ONCE = 1000;

const server = await startRedis();
const client = new Redis(server.url);
const ledger = redisLedger(client);

const questions: Record<string, (ledger: Ledger) => Promise<unknown>> = {
  'list(), the first 25': () => listAtMost(ledger, 'in-doubt', 25),
  'the overview': () => overviewOf({ ledger }, { sinceMs: 0 }),
  'list(), all': async () => {
    for await (const _ of ledger.list({ state: 'in-doubt' }));
  },
  'find by job, without a journal': () => findEmails({ ledger }, [`notices:${count - 1}`]),
};

try {
  for (let from = 0; from < count; from += AT_ONCE) {
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => add(from + i)),
    );
  }
  const rows = [['asked', 'median, ms', 'longest, ms', 'slowest command, ms']];
  for (const [name, ask] of Object.entries(questions)) {
    await ask(ledger);
    await client.config('SET', 'slowlog-log-slower-than', '100');
    await client.slowlog('RESET');
    const tookMs: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const startMs = performance.now();
      await ask(ledger);
      tookMs.push(performance.now() - startMs);
    }
    const slow = (await client.slowlog('GET', 1000)) as [unknown, unknown, number, string[]][];
    const ours = slow.filter(([, , , [command = '']]) => /^eval/i.test(command));
    const slowestMs = Math.max(0, ...ours.map(([, , us]) => us / 1000));
    const times = [median(tookMs), Math.max(...tookMs)].map((ms) => ms.toFixed(0));
    rows.push([name, ...times, slowestMs.toFixed(1)]);
  }
  console.log(align(rows));
} finally {
  client.disconnect();
  await server.stop();
}

async function add(order: number): Promise<void> {
  const key = deriveKey(['notice', order]);
  const job = { queue: 'notices', id: String(order) };
  const attempt = { key, token: createToken(), job, leaseMs: 30_000, retentionMs: 86_400_000 };
  await ledger.claim({ ...attempt, dispatched: true });
  await ledger.settle({ ...attempt, outcome: 'in-doubt', note: 'ETIMEDOUT' });
}
