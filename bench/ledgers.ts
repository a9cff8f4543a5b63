/**
 * What each ledger costs beside bare BullMQ, and beside the plain redlock library on the same three
 * nodes, which locks and remembers nothing.
 *
 *     pnpm bench:ledgers [--jobs 4000] [--rounds 7] [--work-ms 0] [--json]
 */
import { once } from '@sendonce/bullmq';
import type { Ledger } from '@sendonce/core';
import { postgresLedger } from '@sendonce/postgres';
import { redisLedger } from '@sendonce/redis';
import { redlockLedger } from '@sendonce/redlock';
import { dropSchema, findPostgres, namespace, startRedis } from '@sendonce/testkit';
import type { Job } from 'bullmq';
import { Pool } from 'pg';
import { compare, keyOf as key, say, type Stage, work } from './compare.ts';

/** The part of redlock that is used here; its own types are not reachable through its "exports". */
interface Redlock {
  using(resources: string[], durationMs: number, routine: () => Promise<void>): Promise<void>;
  on(event: 'error', listener: () => void): unknown;
}

await compare(async (stage) => {
  const { connect, prefix, onEnd } = stage;
  const nodes = await Promise.all([startRedis(), startRedis(), startRedis()]);
  onEnd(() => Promise.all(nodes.map((node) => node.stop())));
  const clients = nodes.map(({ url }) => connect(url));
  // By a name that TypeScript does not follow.
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion
  const { default: Library } = (await import('redlock' as string)) as {
    default: new (clients: unknown[], settings: object) => Redlock;
  };
  const redlock = new Library(clients, {});
  redlock.on('error', () => {});
  const by = (ledger: Ledger) => once(work, { ledger, key });
  return [
    {
      name: 'plain redlock x3',
      processor: (job: Job) => redlock.using([`lock:${key(job).join(':')}`], 30_000, work),
    },
    { name: 'Redis', processor: by(redisLedger(connect(), { prefix })) },
    { name: 'redlock x3', processor: by(redlockLedger(clients, { prefix })) },
    { name: 'PostgreSQL', processor: by(await onPostgres(stage)) },
  ];
});

async function onPostgres({ onEnd }: Stage): Promise<Ledger> {
  const found = await findPostgres();
  onEnd(found.stop);
  say(found.how);
  const schema = namespace('bench');
  onEnd(() => dropSchema(found.url, schema));
  const pool = new Pool({ connectionString: found.url });
  pool.on('error', () => {});
  onEnd(() => pool.end());
  const ledger = postgresLedger(pool, { schema });
  onEnd(() => ledger.close());
  return ledger;
}
