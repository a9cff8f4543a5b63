/**
 * Measures `sendonce resolve --all --not-sent --retry`, the real program in a process, on each
 * ledger, with emails in doubt whose jobs have failed. The queue and the journal are on a second
 * Redis.
 *
 *     npx tsx bench/resolve-all.ts [emails, default 2000] [redis] [redlock] [postgres]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deriveKey, type Ledger } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { postgresLedger } from '@sendonce/postgres';
import { redisLedger } from '@sendonce/redis';
import { redlockLedger } from '@sendonce/redlock';
import { startPostgres, startRedis } from '@sendonce/testkit';
import { Queue, UnrecoverableError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Pool } from 'pg';

const [countText = '2000', ...names] = process.argv.slice(2);
const count = Number(countText);
const AT_ONCE = 250;
const main = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url));

interface OpenLedger {
  readonly ledger: Ledger;
  readonly where: readonly string[];
  readonly close: () => Promise<unknown>;
}

const ledgers: Readonly<Record<string, () => Promise<OpenLedger>>> = {
  async redis() {
    const server = await startRedis();
    const client = new Redis(server.url);
    return {
      ledger: redisLedger(client),
      where: ['--redis', server.url],
      async close() {
        client.disconnect();
        await server.stop();
      },
    };
  },
  async redlock() {
    const servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
    const clients = servers.map(({ url }) => new Redis(url));
    return {
      // Filling is faster than the servers.
      ledger: redlockLedger(clients, { answerWithinMs: 20_000 }),
      where: ['--redlock', servers.map(({ url }) => url).join(',')],
      async close() {
        for (const client of clients) client.disconnect();
        await Promise.all(servers.map((server) => server.stop()));
      },
    };
  },
  async postgres() {
    const server = await startPostgres();
    const pool = new Pool({ connectionString: server.url });
    const ledger = postgresLedger(pool);
    return {
      ledger,
      where: ['--postgres', server.url],
      async close() {
        await ledger.close();
        await pool.end();
        await server.stop();
      },
    };
  },
};

for (const name of names.length > 0 ? names : Object.keys(ledgers)) {
  const opened = await ledgers[name]!();
  const side = await startRedis();
  try {
    const fillMs = await timed(() => fill(opened.ledger, side.url));
    const where = [...opened.where, '--journal', side.url, '--queue', side.url];
    const verdict = ['--not-sent', '--retry', '--json', '--yes', String(count)];
    const { ms, peakMb, out } = await run([
      'resolve',
      '--all',
      '--note',
      '401',
      ...verdict,
      ...where,
    ]);
    const { resolved, counts } = JSON.parse(out) as { resolved: number; counts: object };
    console.log(
      `${name}: ${count} emails, ${(ms / 1000).toFixed(1)} s, at most ${peakMb} MB; resolved ${resolved}; filled in ${(fillMs / 1000).toFixed(0)} s`,
      counts,
    );
  } finally {
    await opened.close();
    await side.stop();
  }
}

/** Emails in doubt, and their failed jobs. */
async function fill(ledger: Ledger, queueUrl: string): Promise<void> {
  const connection = new Redis(queueUrl, { maxRetriesPerRequest: null });
  const queue = new Queue('notices', { connection });
  for (let from = 0; from < count; from += AT_ONCE) {
    const orders = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => from + i);
    await queue.addBulk(
      orders.map((order) => ({ name: 'n', data: { order }, opts: { jobId: `order-${order}` } })),
    );
    await Promise.all(orders.map((order) => doubt(ledger, order)));
  }
  let failed = 0;
  const worker = new Worker(
    'notices',
    async () => {
      throw new UnrecoverableError('in doubt');
    },
    { connection, concurrency: 100 },
  );
  await new Promise<void>((resolve) => {
    worker.on('failed', () => (failed += 1) === count && resolve());
  });
  await worker.close();
  await queue.close();
  connection.disconnect();
}

async function doubt(ledger: Ledger, order: number): Promise<void> {
  const attempt = {
    key: deriveKey(['notice', order]),
    token: createToken(),
    leaseMs: 30_000,
    retentionMs: 24 * 60 * 60 * 1000,
    job: { queue: 'notices', id: `order-${order}` },
  };
  await ledger.claim({ ...attempt, dispatched: true });
  await ledger.settle({ ...attempt, outcome: 'in-doubt', note: '401' });
}

async function run(argv: readonly string[]) {
  const state = mkdtempSync(join(tmpdir(), 'sendonce-bench-'));
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...argv], {
    env: { ...process.env, XDG_STATE_HOME: state },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  let peakKb = 0;
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peakKb = Math.max(peakKb, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]));
    } catch {
      // It has ended.
    }
  }, 50);
  const ms = await timed(() => new Promise((resolve) => child.on('close', resolve)));
  clearInterval(timer);
  return { ms, out, peakMb: Math.round(peakKb / 1024) };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
