import { namespace, type RedisProcess, startRedis } from '@sendonce/testkit';
import { Redis } from 'ioredis';
import { redlockLedger, type RedlockLedgerOptions } from '../src/index.ts';

/** Real Redis servers of one's own, and ledgers on them. */
export async function startNodes(count: number, { appendOnly = false } = {}) {
  const servers: RedisProcess[] = await Promise.all(
    Array.from({ length: count }, () => startRedis({ appendOnly })),
  );
  const prefix = namespace('redlock');
  const clients: Redis[] = [];

  function connect(urls: readonly string[] = servers.map(({ url }) => url)): Redis[] {
    return urls.map((url) => {
      // As BullMQ asks for it: commands wait for a server that is down, for as long as it takes.
      const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
      client.on('error', () => {});
      clients.push(client);
      return client;
    });
  }

  return {
    servers,
    prefix,
    connect,
    ledger: (options: RedlockLedgerOptions = {}) =>
      redlockLedger(connect(), { prefix, ...options }),
    /** Whether a node has been given the records of the others since it was started. */
    async isInSync(server: RedisProcess): Promise<boolean> {
      const client = new Redis(server.url);
      try {
        const run = /run_id:(\w+)/.exec(await client.info('server'))?.[1];
        return (await client.get(`${prefix}:in-sync`)) === run;
      } finally {
        client.disconnect();
      }
    },
    place: (key: string) => `${prefix}:{${key[0]}}${key.slice(1)}`,
    async close() {
      for (const client of clients) client.disconnect();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

/** Restarts a node: killed, so that one without an append-only file comes back empty. */
export async function restartKilled(server: RedisProcess): Promise<void> {
  await server.kill();
  await server.restart();
}
