import { findPostgres, type RedisProcess, startRedis } from '@sendonce/testkit';
import type { Redis } from 'ioredis';
import { Pool } from 'pg';
import type { Progress } from './terminal/progress.ts';
import { type GuardId, storeOf } from './guards.ts';
import { type Connections, connect } from './ledgers.ts';

/** The stores of the guards in a run of the demo. */
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
  readonly progress: Pick<Progress, 'say' | 'line'>;
  /** Registers what must be undone, at once or at the end. */
  readonly later: (step: () => Promise<unknown>) => Promise<void>;
}

/** Starts what the guards need beside the one Redis. */
export async function startStores(options: StartStoresOptions): Promise<Stores> {
  const { redis, redisUrl, guards, progress, later } = options;
  const needs = (store: string) => guards.some((guard) => storeOf(guard) === store);

  const others: { url: string; client: Redis }[] = [];
  if (needs('redlock')) progress.say('starting two more Redis servers for redlock');
  while (needs('redlock') && others.length < 2) {
    const server: RedisProcess = await startRedis();
    await later(server.stop);
    const client = connect(server.url);
    await later(async () => client.disconnect());
    others.push({ url: server.url, client });
  }
  let postgres: Stores['postgres'];
  if (needs('postgres')) {
    progress.say('starting PostgreSQL, unless DATABASE_URL names one');
    const found = await findPostgres();
    await later(found.stop);
    progress.line(`PostgreSQL: ${found.how}`);
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

/** The connections by which the demo itself reaches the ledger of a guard. */
export function connectionsOf(guard: GuardId, { redis, others, postgres }: Stores): Connections {
  const more = storeOf(guard) === 'redlock' ? others.map(({ client }) => client) : [];
  return { clients: [redis, ...more], pool: postgres?.pool };
}

function postgresOf({ postgres }: Stores): NonNullable<Stores['postgres']> {
  if (!postgres) throw new Error('No PostgreSQL was started for this guard.');
  return postgres;
}
