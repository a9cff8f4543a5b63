import type { Ledger } from '@sendonce/core';
import { configFiles, type Location } from './config-file.ts';
import { connectRedis, locationOf } from './connect-redis.ts';
import { UsageError } from './terminal.ts';

export interface OpenLedger {
  readonly ledger: Ledger;
  /** Where it is, for people. */
  readonly location: string;
  readonly close: () => Promise<void>;
}

/** Opens the ledger that a location names. @throws {UsageError} if it names none */
export async function openLedger({
  redis,
  redlock,
  postgres,
  prefix,
  schema,
}: Location): Promise<OpenLedger> {
  if (redis !== undefined) return openRedis(redis, prefix);
  if (redlock !== undefined) return openRedlock(redlock, prefix);
  if (postgres !== undefined) return openPostgres(postgres, schema);
  throw new UsageError(
    'Where is the ledger? Give --redis <url>, --redlock <url,url,url> or --postgres <url>, set SENDONCE_REDIS and so on, ' +
      `or write ${configFiles[0]} or ${configFiles[1]} here.`,
  );
}

async function openRedis(url: string, prefix: string | undefined): Promise<OpenLedger> {
  const { redisLedger } = await import('@sendonce/redis');
  const client = await connectRedis(url);
  return {
    ledger: redisLedger(client, prefix === undefined ? {} : { prefix }),
    location: `Redis at ${locationOf(url)}`,
    close: async () => client.disconnect(),
  };
}

async function openRedlock(list: string, prefix: string | undefined): Promise<OpenLedger> {
  const { redlockLedger } = await import('@sendonce/redlock');
  const urls = list.split(',').map((url) => url.trim());
  const clients = await Promise.all(urls.map((url) => connectRedis(url, { optional: true })));
  return {
    ledger: redlockLedger(clients, prefix === undefined ? {} : { prefix }),
    location: `redlock at ${urls.map(locationOf).join(', ')}`,
    async close() {
      for (const client of clients) client.disconnect();
    },
  };
}

async function openPostgres(url: string, schema: string | undefined): Promise<OpenLedger> {
  const { postgresLedger } = await import('@sendonce/postgres');
  const { Pool } = await import('pg');
  const pool = new Pool({ connectionString: url, connectionTimeoutMillis: 5_000, max: 4 });
  // The verb that needs the connection fails, and reports why.
  pool.on('error', () => {});
  // The command line creates and changes no schema.
  const ledger = postgresLedger(pool, { migrate: false, ...(schema !== undefined && { schema }) });
  return {
    ledger,
    location: `PostgreSQL at ${locationOf(url)}`,
    async close() {
      await ledger.close();
      await pool.end();
    },
  };
}
