import type { Ledger } from '@sendonce/core';
import { configFiles, type Location } from './config-file.ts';
import { closeOnError, connectRedis } from './connect-redis.ts';
import { areEmpty, hasNoKeys, hasNoRows } from './nothing-known.ts';
import { readPostgresUrl, readRedisUrl } from './server-url.ts';
import { UsageError } from './terminal.ts';

export interface OpenLedger {
  readonly ledger: Ledger;
  /** Where it is, for people. */
  readonly location: string;
  /** Whether it has no record. */
  readonly isEmpty: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

/** The prefix of the keys and the name of the schema, unless an option names another one. */
export const DEFAULT_NAME = 'sendonce';

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

async function openRedis(url: string, prefix = DEFAULT_NAME): Promise<OpenLedger> {
  const { redisLedger } = await import('@sendonce/redis');
  const client = await connectRedis(url, { name: '--redis' });
  return {
    ledger: closeOnError([client], () => redisLedger(client, { prefix })),
    location: describeRedis(url, '--redis', prefix),
    isEmpty: () => areEmpty([() => hasNoKeys(client, prefix)]),
    close: async () => client.disconnect(),
  };
}

/** Where a Redis ledger or journal is, for people. */
export function describeRedis(url: string, name: string, prefix: string): string {
  const { host, database } = readRedisUrl(url, name);
  return `Redis at ${host}, database ${database}, prefix ${prefix}`;
}

/**
 * A person waits, and no email does. A list of 10,000 emails in doubt is one command of 0.1 s on
 * each node, and longer on a busy one.
 */
const REDLOCK_ANSWERS_WITHIN_MS = 2_000;

async function openRedlock(list: string, prefix = DEFAULT_NAME): Promise<OpenLedger> {
  const { redlockLedger } = await import('@sendonce/redlock');
  const urls = list.split(',').map((url) => url.trim());
  // All URLs are read before the first connection is made.
  const addresses = urls.map((url) => readRedisUrl(url, 'each URL of --redlock'));
  const nodes = addresses.map(({ host, database }) => `${host}/${database}`);
  const connect = (url: string) => connectRedis(url, { name: '--redlock', optional: true });
  const clients = await Promise.all(urls.map(connect));
  return {
    ledger: closeOnError(clients, () =>
      redlockLedger(clients, { prefix, answerWithinMs: REDLOCK_ANSWERS_WITHIN_MS }),
    ),
    location: `redlock at ${nodes.join(', ')}, prefix ${prefix}`,
    isEmpty: () => areEmpty(clients.map((client) => () => hasNoKeys(client, prefix))),
    async close() {
      for (const client of clients) client.disconnect();
    },
  };
}

async function openPostgres(url: string, schema = DEFAULT_NAME): Promise<OpenLedger> {
  const { postgresLedger } = await import('@sendonce/postgres');
  const { Pool } = await import('pg');
  const location = readPostgresUrl(url, '--postgres');
  const pool = new Pool({ connectionString: url, connectionTimeoutMillis: 5_000, max: 4 });
  // The verb that needs the connection fails, and reports why.
  pool.on('error', () => {});
  // The command line creates and changes no schema.
  const ledger = postgresLedger(pool, { migrate: false, schema });
  return {
    ledger,
    location: `PostgreSQL at ${location}, schema ${schema}`,
    isEmpty: () => areEmpty([() => hasNoRows(pool, schema)]),
    async close() {
      await ledger.close();
      await pool.end();
    },
  };
}
