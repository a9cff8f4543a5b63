import { postgresLedger } from '@sendonce/postgres';
import { redisLedger } from '@sendonce/redis';
import { redlockLedger } from '@sendonce/redlock';
import { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { type GuardId, storeOf } from './guards.ts';
import { LEASE_MS } from './timing.ts';

/**
 * The connections of a ledger. Each of the 32 workers loads this file, so it starts no servers.
 */
export interface Connections {
  /** One client, three of them for redlock. */
  readonly clients: readonly [Redis, ...Redis[]];
  readonly pool: Pool | undefined;
}

/** The ledger of a guard in its own namespace: a prefix, or a schema. */
export function openLedger(guard: GuardId, { clients, pool }: Connections, prefix: string) {
  const nothing = async () => {};
  switch (storeOf(guard)) {
    case 'postgres': {
      if (!pool) throw new Error('No PostgreSQL was started for this guard.');
      const ledger = postgresLedger(pool, { schema: prefix });
      return { ledger, ready: () => ledger.ready(), close: () => ledger.close() };
    }
    case 'redlock': {
      // Frozen workers and busy cores: a node that is slow is not a node that is gone.
      const ledger = redlockLedger(clients, { prefix, answerWithinMs: LEASE_MS });
      const ready = async () => void (await ledger.read('A'.repeat(22)));
      return { ledger, ready, close: nothing };
    }
    case 'redis':
      return { ledger: redisLedger(clients[0], { prefix }), ready: nothing, close: nothing };
  }
}

export function connect(url: string, lazyConnect = false): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null, lazyConnect });
  // ioredis connects again.
  redis.on('error', () => {});
  return redis;
}
