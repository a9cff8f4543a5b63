import type { Ledger } from '@sendonce/core';
import { postgresLedger } from '@sendonce/postgres';
import { redisLedger } from '@sendonce/redis';
import { redlockLedger } from '@sendonce/redlock';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import type { LedgerName } from './names.ts';

export interface OpenLedger {
  readonly ledger: Ledger;
  readonly close: () => Promise<void>;
}

/** The ledger as its README sets it up, with connections of its own. */
export function openLedger(name: LedgerName, urls: readonly string[], prefix: string): OpenLedger {
  if (name === 'postgres') {
    const pool = new Pool({ connectionString: urls[0], max: 4 });
    pool.on('error', () => {});
    const ledger = postgresLedger(pool, { schema: prefix });
    return {
      ledger,
      async close() {
        await ledger.close();
        await pool.end();
      },
    };
  }
  const clients = urls.map(connect);
  return {
    // Frozen workers and busy cores: a node that is slow is not a node that is gone.
    ledger:
      name === 'redis'
        ? redisLedger(clients[0]!, { prefix })
        : redlockLedger(clients, { prefix, timeoutMs: 1_000 }),
    async close() {
      for (const client of clients) client.disconnect();
    },
  };
}

/** As BullMQ asks for it; comes back soon, as everything here is faster than in production. */
export function connect(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 100 });
  // ioredis connects again by itself.
  redis.on('error', () => {});
  return redis;
}
