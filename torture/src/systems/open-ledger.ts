import type { Ledger } from '@sendonce/core';
import { postgresLedger } from '@sendonce/postgres';
import { redisLedger } from '@sendonce/redis';
import { redlockLedger } from '@sendonce/redlock';
import { Redis, type RedisOptions } from 'ioredis';
import { Pool } from 'pg';
import type { LedgerName } from './names.ts';

export interface OpenLedger {
  readonly ledger: Ledger;
  readonly close: () => Promise<void>;
}

export interface LedgerPlace {
  /** Begins its keys, or names its schema. */
  readonly prefix: string;
  /** How long a server may be silent until a verb gives up, in ms. @default the usual patience */
  readonly answerWithinMs?: number | undefined;
}

/** The ledger as its README sets it up, with its own connections. */
export function openLedger(
  name: LedgerName,
  urls: readonly string[],
  { prefix, answerWithinMs }: LedgerPlace,
): OpenLedger {
  if (name === 'postgres') {
    const pool = new Pool({ connectionString: urls[0], max: 4 });
    pool.on('error', () => {});
    const ledger = postgresLedger(pool, {
      schema: prefix,
      ...(answerWithinMs !== undefined && { answerWithinMs }),
    });
    return {
      ledger,
      async close() {
        await ledger.close();
        await pool.end();
      },
    };
  }
  const clients = urls.map((url) =>
    connect(url, answerWithinMs === undefined ? {} : { commandTimeout: answerWithinMs }),
  );
  return {
    // Frozen workers and busy cores: a node that is slow is not a node that is gone.
    ledger:
      name === 'redlock'
        ? redlockLedger(clients, { prefix, answerWithinMs: answerWithinMs ?? 1_000 })
        : redisLedger(clients[0]!, { prefix }),
    async close() {
      for (const client of clients) client.disconnect();
    },
  };
}

/** As BullMQ needs it. Reconnects soon, as everything here is faster than in production. */
export function connect(url: string, options: Pick<RedisOptions, 'commandTimeout'> = {}): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    retryStrategy: () => 100,
    ...options,
  });
  // ioredis reconnects.
  redis.on('error', () => {});
  return redis;
}
