import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { deriveKey } from '@sendonce/core';
import { migratePostgres, postgresLedger } from '@sendonce/postgres';
import {
  bundleProgram,
  eventually,
  type PostgresProcess,
  startPostgres,
  startTcpProxy,
} from '@sendonce/testkit';
import { Client, Pool } from 'pg';

export interface Replication {
  readonly synchronous: boolean;
  /** How many emails leave after the standby has received its last byte. */
  readonly laggingEmails: number;
}

/** What happened to the emails. */
export interface Tally {
  once: number;
  /** In doubt and listed: whether it left is for a person to find out. */
  listed: number;
  twice: number;
  lost: number;
}

const EMAILS = 120;
/** How many have left when the primary crashes. */
const LEFT_AT_CRASH = 60;

/** Time for a busy machine. */
const WITHIN = { timeoutMs: 30_000 };

/** One failover. All that it has started is ended, also after an error. */
export async function failOver(replication: Replication): Promise<Tally> {
  await using pair = await startPair(replication);
  await migrate(pair.primary.url);
  await caughtUp(pair, replication);
  const keys = Array.from({ length: EMAILS }, (_, index) => deriveKey(['failover', index]));
  const left = new Map(keys.map((key) => [key, 0]));

  const sender = await startSender(pair.primary.url, keys);
  let total = 0;
  for await (const key of emailsThatLeft(sender)) {
    left.set(key, left.get(key)! + 1);
    total++;
    if (replication.laggingEmails > 0 && total === LEFT_AT_CRASH - replication.laggingEmails)
      pair.link.pause();
    // The sender ends with its primary. Lines that it has written are still read.
    if (total === LEFT_AT_CRASH) {
      sender.kill('SIGKILL');
      void pair.primary.kill();
    }
  }
  await pair.primary.kill();

  await promote(pair.standby.url);
  const copies = await startSender(pair.standby.url, keys);
  for await (const key of emailsThatLeft(copies)) left.set(key, left.get(key)! + 1);
  return count(left, await listDoubts(pair.standby.url));
}

interface Pair extends AsyncDisposable {
  readonly primary: PostgresProcess;
  readonly standby: PostgresProcess;
  /** The connection between them. */
  readonly link: Awaited<ReturnType<typeof startTcpProxy>>;
}

async function startPair({ synchronous }: Replication): Promise<Pair> {
  const ends: (() => Promise<void>)[] = [];
  const end = async () => {
    for (const stop of ends.toReversed()) await stop();
  };
  try {
    const primary = await startPostgres();
    ends.push(primary.stop);
    const link = await startTcpProxy({ url: primary.url });
    ends.push(link.close);
    const standby = await startPostgres({ standbyOf: { data: primary.data, url: link.url } });
    ends.push(standby.stop);
    if (synchronous) {
      await query(primary.url, `ALTER SYSTEM SET synchronous_standby_names = '*'`);
      await query(primary.url, 'SELECT pg_reload_conf()');
    }
    return { primary, standby, link, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function caughtUp({ primary, standby }: Pair, { synchronous }: Replication): Promise<void> {
  await eventually(async () => {
    const [row] = await query(
      primary.url,
      'SELECT sync_state, replay_lsn = pg_current_wal_lsn() AS same FROM pg_stat_replication',
    );
    if (row?.['same'] !== true) throw new Error('the standby has not caught up');
    if (row['sync_state'] !== (synchronous ? 'sync' : 'async')) throw new Error('another state');
  }, WITHIN);
  await query(standby.url, 'SELECT FROM sendonce.records');
}

async function promote(url: string): Promise<void> {
  await query(url, 'SELECT pg_promote()');
  const [row] = await query(url, 'SELECT pg_is_in_recovery() AS standby');
  if (row?.['standby'] !== false) throw new Error('the standby was not promoted');
}

async function migrate(url: string): Promise<void> {
  const pool = new Pool({ connectionString: url });
  await migratePostgres(pool);
  await pool.end();
}

async function startSender(url: string, keys: readonly string[]): Promise<ChildProcess> {
  const program = await bundleProgram(new URL('./sender.ts', import.meta.url));
  return spawn(process.execPath, [program, url, ...keys], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** The keys of the emails that leave, until the process has ended. */
async function* emailsThatLeft(sender: ChildProcess): AsyncGenerator<string> {
  const exited = once(sender, 'exit');
  for await (const line of createInterface({ input: sender.stdout! })) {
    const key = /^left (\S+)$/.exec(line)?.[1];
    if (key) yield key;
  }
  await exited;
}

async function listDoubts(url: string): Promise<Set<string>> {
  const pool = new Pool({ connectionString: url });
  const ledger = postgresLedger(pool, { migrate: false });
  const doubts = new Set<string>();
  for await (const { key } of ledger.list({ state: 'in-doubt' })) doubts.add(key);
  await ledger.close();
  await pool.end();
  return doubts;
}

function count(left: ReadonlyMap<string, number>, doubts: ReadonlySet<string>): Tally {
  const tally: Tally = { once: 0, listed: 0, twice: 0, lost: 0 };
  for (const [key, times] of left) {
    if (times > 1) tally.twice++;
    else if (doubts.has(key)) tally.listed++;
    else if (times === 1) tally.once++;
    else tally.lost++;
  }
  return tally;
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}
