import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Journal, type Ledger } from '@sendonce/core';
import { checkJournal, checkLedger } from '@sendonce/core/ledger';
import { type Given, textOf, whereOptions } from './command.ts';
import { connectRedis, hostOf } from './connect-redis.ts';
import type { Desk, SendonceConfig } from './desk.ts';
import { type Terminal, UsageError } from './terminal.ts';

type Where = Partial<Record<keyof typeof whereOptions, string>>;

const files = ['sendonce.config.json', 'sendonce.config.mjs', 'sendonce.config.js'];

/** Opens what the options, the environment (SENDONCE_REDIS, …) or a configuration file say; in this order. */
export async function openDesk(given: Given, { env, folder }: Terminal): Promise<Desk> {
  const names = Object.keys(whereOptions) as (keyof Where)[];
  const where: Where = {};
  for (const name of names) {
    const value = textOf(given, name) ?? env[`SENDONCE_${name.replace('-', '_').toUpperCase()}`];
    if (value !== undefined && value !== '') where[name] = value;
  }
  const stores = (['redis', 'redlock', 'postgres'] as const).filter((name) => where[name]);
  const file =
    where.config ??
    (stores.length > 0 ? undefined : files.find((name) => existsSync(resolve(folder, name))));
  if (stores.length > 1 || (stores.length > 0 && where.config)) {
    const both = [...stores, ...(where.config ? ['config'] : [])].map((name) => `--${name}`);
    throw new UsageError(`${both.join(' and ')} name several ledgers: give one.`);
  }
  if (file === undefined) return openStores(where);
  if (file.endsWith('.json')) return openStores({ ...readJson(resolve(folder, file)), ...where });
  return openModule(resolve(folder, file));
}

async function openStores(where: Where): Promise<Desk> {
  const opened = await openLedger(where);
  const closes = [opened.close];
  try {
    const journalUrl = where.journal ?? where.redis;
    let journal: Journal | undefined;
    if (journalUrl !== undefined) {
      const { redisJournal } = await import('@sendonce/redis');
      const client = await connectRedis(journalUrl);
      closes.push(async () => client.disconnect());
      journal = redisJournal(client, where.prefix === undefined ? {} : { prefix: where.prefix });
    }
    const queueUrl = where.queue ?? where.redis;
    const queues =
      queueUrl === undefined ? undefined : await openQueues(queueUrl, where['queue-prefix']);
    if (queues) closes.push(() => queues.close());
    return {
      ...opened,
      journal,
      ...(queues && { queue: (name: string) => queues.queue(name) }),
      async close() {
        await journal?.flush();
        for (const close of closes.toReversed()) await close();
      },
    };
  } catch (error) {
    for (const close of closes.toReversed()) await close();
    throw error;
  }
}

interface OpenLedger {
  readonly ledger: Ledger;
  readonly where: string;
  readonly close: () => Promise<void>;
}

async function openLedger(where: Where): Promise<OpenLedger> {
  const options = where.prefix === undefined ? {} : { prefix: where.prefix };
  if (where.redis !== undefined) {
    const { redisLedger } = await import('@sendonce/redis');
    const client = await connectRedis(where.redis);
    const ledger = redisLedger(client, options);
    return {
      ledger,
      where: `Redis at ${hostOf(where.redis)}`,
      close: async () => client.disconnect(),
    };
  }
  if (where.redlock !== undefined) {
    const { redlockLedger } = await import('@sendonce/redlock');
    const urls = where.redlock.split(',').map((url) => url.trim());
    const clients = await Promise.all(urls.map((url) => connectRedis(url, { mayBeAway: true })));
    return {
      ledger: redlockLedger(clients, options),
      where: `redlock at ${urls.map(hostOf).join(', ')}`,
      async close() {
        for (const client of clients) client.disconnect();
      },
    };
  }
  if (where.postgres !== undefined) return openPostgres(where.postgres, where.schema);
  throw new UsageError(
    'Where is the ledger? Give --redis <url>, --redlock <url,url,url> or --postgres <url>, set SENDONCE_REDIS and so on, ' +
      `or write ${files[0]} or ${files[1]} here.`,
  );
}

async function openPostgres(url: string, schema: string | undefined): Promise<OpenLedger> {
  const { postgresLedger } = await import('@sendonce/postgres');
  const { Pool } = await import('pg');
  const pool = new Pool({ connectionString: url, connectionTimeoutMillis: 5_000, max: 4 });
  // Told by the verb that needs the connection.
  pool.on('error', () => {});
  // Who looks changes nothing: neither a schema that is missing nor one of another version.
  const ledger = postgresLedger(pool, { migrate: false, ...(schema !== undefined && { schema }) });
  return {
    ledger,
    where: `PostgreSQL at ${hostOf(url)}`,
    async close() {
      await ledger.close();
      await pool.end();
    },
  };
}

async function openQueues(url: string, prefix: string | undefined) {
  const { Queue } = await import('bullmq');
  const client = await connectRedis(url, { forQueue: true });
  const opened = new Map<string, InstanceType<typeof Queue>>();
  return {
    queue(name: string) {
      let queue = opened.get(name);
      if (!queue) {
        // Who looks writes no metadata of the queue.
        const options = { connection: client, skipMetasUpdate: true };
        queue = new Queue(name, { ...options, ...(prefix !== undefined && { prefix }) });
        queue.on('error', () => {});
        opened.set(name, queue);
      }
      return queue;
    },
    async close() {
      await Promise.all([...opened.values()].map((queue) => queue.close()));
      client.disconnect();
    },
  };
}

function readJson(file: string): Where {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
  const entries = Object.entries((parsed ?? {}) as Record<string, unknown>);
  for (const [name, value] of entries) {
    if (name in whereOptions && name !== 'config' && typeof value === 'string') continue;
    const allowed = Object.keys(whereOptions).filter((option) => option !== 'config');
    throw new UsageError(
      `${file}: "${name}" is not understood. Texts under ${allowed.join(', ')}.`,
    );
  }
  return Object.fromEntries(entries) as Where;
}

async function openModule(file: string): Promise<Desk> {
  if (!existsSync(file)) throw new UsageError(`There is no ${file}.`);
  const module = (await import(pathToFileURL(file).href)) as { default?: SendonceConfig };
  const config = module.default;
  if (!config) throw new UsageError(`${file} has no default export { ledger, journal?, queues? }.`);
  const { ledger, journal, queues, close } = config;
  checkLedger(ledger);
  if (journal !== undefined) checkJournal(journal);
  return {
    ledger,
    journal,
    where: file,
    ...(queues && { queue: (name: string) => queues.find((queue) => queue.name === name) }),
    async close() {
      await journal?.flush();
      await close?.();
    },
  };
}
