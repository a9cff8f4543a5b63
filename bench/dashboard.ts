/**
 * Measures the pages of the dashboard after a million emails: fills a ledger and its journal by
 * their own verbs, opens the pages, and asks Redis for its slowest commands.
 *
 *     npx tsx bench/dashboard.ts [emails, default 1000000]
 */
import { deriveKey, type Ledger, type Journal } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { dashboard } from '@sendonce/dashboard';
import { redisJournal, redisLedger } from '@sendonce/redis';
import { startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';

const count = Number(process.argv[2] ?? 1_000_000);
const AT_ONCE = 2000;
const DOUBTS = 200;
const ROUNDS = 50;
const DAY_MS = 24 * 60 * 60 * 1000;

const server = await startRedis();
const redis = new Redis(server.url, { maxRetriesPerRequest: null });
try {
  const ledger = redisLedger(redis);
  const journal = redisJournal(redis, { intervalMs: 5 });
  await fill(ledger, journal);
  const memory = /used_memory_human:(\S+)/.exec(await redis.info('memory'))?.[1];
  console.log(`${count} emails sent, ${await redis.dbsize()} keys, ${memory}`);
  const board = dashboard({ ledger, journal, authorize: () => ({ name: 'ada' }) });
  await measure(board.fetch, '/');
  await measure(board.fetch, '/?days=7');
  for (let order = 0; order < DOUBTS; order += 1) await doubt(ledger, journal, order);
  await journal.flush();
  console.log(`and ${DOUBTS} in doubt:`);
  for (const path of ['/', '/?days=7', '/find?q=order+4711', `/email/${deriveKey(['n', 4711])}`]) {
    await measure(board.fetch, path);
  }
} finally {
  redis.disconnect();
  await server.stop();
}

async function fill(ledger: Ledger, journal: Journal): Promise<void> {
  const started = Date.now();
  for (let from = 0; from < count; from += AT_ONCE) {
    const some = Array.from(
      { length: Math.min(AT_ONCE, count - from) },
      (_, index) => from + index,
    );
    await Promise.all(some.map((order) => send(ledger, journal, order)));
    await journal.flush();
    if ((from / AT_ONCE) % 50 === 0) {
      process.stderr.write(
        `\r${from + some.length} in ${Math.round((Date.now() - started) / 1000)} s `,
      );
    }
  }
  process.stderr.write('\n');
}

async function send(ledger: Ledger, journal: Journal, order: number): Promise<void> {
  const attempt = attemptOf(['n', order], order);
  await ledger.claim({ ...attempt, dispatched: true });
  await ledger.settle({ ...attempt, outcome: 'sent' });
  const { key, token, job } = attempt;
  // Over the week, as a shop would have them.
  const atMs = Date.now() - ((order * 7919) % (7 * DAY_MS));
  journal.write({ key, type: 'dispatched', atMs, token, job, label: `order ${order}` });
  journal.write({ key, type: 'sent', atMs: atMs + 3, token, job, label: `order ${order}` });
}

async function doubt(ledger: Ledger, journal: Journal, order: number): Promise<void> {
  const attempt = attemptOf(['doubt', order], order);
  await ledger.claim({ ...attempt, dispatched: true });
  await ledger.settle({ ...attempt, outcome: 'in-doubt', note: 'ETIMEDOUT' });
  const { key, token, job } = attempt;
  journal.write({ key, type: 'in-doubt', atMs: Date.now(), token, job, label: `order ${order}` });
}

function attemptOf(parts: unknown[], order: number) {
  const job = { queue: 'notices', id: String(order) };
  return {
    key: deriveKey(parts),
    token: createToken(),
    leaseMs: 30_000,
    retentionMs: 7 * DAY_MS,
    job,
  };
}

/**
 * Median and slowest of some rounds, and how long Redis was busy with each command meanwhile, by
 * its own clock.
 */
async function measure(
  fetch: (request: Request) => Promise<Response>,
  path: string,
): Promise<void> {
  await redis.config('SET', 'slowlog-log-slower-than', '0');
  await redis.config('SET', 'slowlog-max-len', '100000');
  const times: number[] = [];
  await redis.slowlog('RESET');
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    const answered = await fetch(new Request(`http://localhost${path}`));
    await answered.text();
    times.push(performance.now() - started);
  }
  const commands = ((await redis.slowlog('GET', '100000')) as [number, number, number, string[]][])
    .filter(([, , , [name]]) => /^eval/i.test(name ?? ''))
    .map(([, , us]) => us)
    .toSorted((one, other) => one - other);
  times.sort((one, other) => one - other);
  console.log(
    [
      path.padEnd(30),
      `page: median ${at(times, 0.5).toFixed(1)} ms, slowest ${at(times, 1).toFixed(1)} ms`,
      `${commands.length / ROUNDS} script calls`,
      `each: median ${at(commands, 0.5)} us, 99 % ${at(commands, 0.99)} us, slowest ${at(commands, 1)} us`,
    ].join('; '),
  );
}

/** Of sorted numbers, the one below which a part of them is. */
function at(sorted: readonly number[], part: number): number {
  return sorted[Math.ceil((sorted.length - 1) * part)] ?? NaN;
}
