import type { Ledger } from '@sendonce/core';
import { postgresLedger } from '@sendonce/postgres';
import { redisLedger } from '@sendonce/redis';
import { redlockLedger } from '@sendonce/redlock';
import { dropSchema, findPostgres, type RedisProcess, startRedis } from '@sendonce/testkit';
import type { Redis } from 'ioredis';
import { Redis as Client } from 'ioredis';
import { Pool } from 'pg';
import { type GuardId, storeOf } from './guards.ts';

/** What the guards of a run of the demo remember in. */
export interface Stores {
  readonly redis: Redis;
  readonly redisUrl: string;
  /** Two more servers, so that redlock has three. */
  readonly others: readonly { readonly url: string; readonly client: Redis }[];
  readonly postgres: { readonly url: string; readonly pool: Pool } | undefined;
}

export interface StartStoresOptions {
  readonly redis: Redis;
  readonly redisUrl: string;
  readonly guards: readonly GuardId[];
  readonly say: (line: string) => void;
  /** Registers what must be undone, at once or at the end. */
  readonly later: (step: () => Promise<unknown>) => Promise<void>;
}

/** Starts what the guards need beside the one Redis. */
export async function startStores(options: StartStoresOptions): Promise<Stores> {
  const { redis, redisUrl, guards, say, later } = options;
  const needs = (store: string) => guards.some((guard) => storeOf(guard) === store);

  const others: { url: string; client: Redis }[] = [];
  while (needs('redlock') && others.length < 2) {
    const server: RedisProcess = await startRedis();
    await later(server.stop);
    const client = connect(server.url);
    await later(async () => client.disconnect());
    others.push({ url: server.url, client });
  }
  let postgres: Stores['postgres'];
  if (needs('postgres')) {
    const found = await findPostgres();
    await later(found.stop);
    say(`PostgreSQL: ${found.how}`);
    const pool = new Pool({ connectionString: found.url, max: 4 });
    pool.on('error', () => {});
    await later(() => pool.end());
    postgres = { url: found.url, pool };
  }
  return { redis, redisUrl, others, postgres };
}

/** Where the workers find the store of a guard. */
export function urlsOf(guard: GuardId, stores: Stores): [string, ...string[]] {
  switch (storeOf(guard)) {
    case 'postgres':
      return [postgresOf(stores).url];
    case 'redlock':
      return [stores.redisUrl, ...stores.others.map(({ url }) => url)];
    case 'redis':
      return [stores.redisUrl];
  }
}

/** The ledger of a guard as the demo itself sees it, in a namespace of its own. */
export function openLedger(guard: GuardId, stores: Stores, prefix: string) {
  const ended = async () => {};
  switch (storeOf(guard)) {
    case 'postgres': {
      const { url, pool } = postgresOf(stores);
      const ledger = postgresLedger(pool, { schema: prefix });
      const close = async () => {
        await ledger.close();
        await dropSchema(url, prefix);
      };
      return { ledger: ledger as Ledger, ready: () => ledger.ready(), close };
    }
    case 'redlock': {
      const clients = [stores.redis, ...stores.others.map(({ client }) => client)];
      // Frozen workers and busy cores: a node that is slow is not a node that is gone.
      const ledger = redlockLedger(clients, { prefix, timeoutMs: 2_000 });
      return { ledger, ready: async () => void (await ledger.read('A'.repeat(22))), close: ended };
    }
    case 'redis':
      return { ledger: redisLedger(stores.redis, { prefix }), ready: ended, close: ended };
  }
}

export function connect(url: string, lazyConnect = false): Redis {
  const redis = new Client(url, { maxRetriesPerRequest: null, lazyConnect });
  // ioredis connects again by itself.
  redis.on('error', () => {});
  return redis;
}

function postgresOf({ postgres }: Stores): NonNullable<Stores['postgres']> {
  if (!postgres) throw new Error('No PostgreSQL was started for this guard.');
  return postgres;
}
