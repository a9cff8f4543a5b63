import {
  type PostgresProcess,
  type RedisProcess,
  startPostgres,
  startRedis,
  startTcpProxy,
  type TcpProxy,
} from '@sendonce/testkit';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { Store as StoreKind } from './system.ts';

/** A server that workers reach through a proxy, and that can be killed under them. */
export interface Store {
  readonly name: string;
  /** What workers are given. */
  readonly url: string;
  /** The server itself: for the check, which no fault shall touch. */
  readonly directUrl: string;
  readonly how: string;
  readonly proxy: TcpProxy;
  /** Crashes it; what it has acknowledged is on its disk. */
  readonly kill: () => Promise<void>;
  /** Starts it again on its data. */
  readonly restart: () => Promise<void>;
  /** As a disk that is full, or a memory: reads continue, writes are refused. */
  readonly refuseWrites: (refuse: boolean) => Promise<void>;
  /** How many keys, or rows, the ledger under this prefix holds there. */
  readonly count: (prefix: string) => Promise<number>;
  readonly stop: () => Promise<void>;
}

export async function startStores(kind: StoreKind): Promise<Store[]> {
  const names = { none: [], redis: ['ledger'], redlock: ['node 1', 'node 2', 'node 3'] };
  if (kind === 'postgres') return [await postgresStore()];
  return Promise.all(names[kind].map(redisStore));
}

export async function redisStore(name: string): Promise<Store> {
  const server = await startRedis({ appendOnly: true, args: ['--appendfsync', 'always'] });
  const proxy = await startTcpProxy({ url: server.url });

  async function asked<R>(ask: (admin: Redis) => Promise<R>): Promise<R> {
    const admin = new Redis(server.url, { retryStrategy: () => null, lazyConnect: true });
    admin.on('error', () => {});
    try {
      await admin.connect();
      return await ask(admin);
    } finally {
      admin.disconnect();
    }
  }

  return {
    ...reached(name, server, proxy),
    refuseWrites: async (refuse) =>
      void (await asked((admin) => admin.config('SET', 'maxmemory', refuse ? '1' : '0'))),
    count: async (prefix) => (await asked((admin) => admin.keys(`${prefix}:{*`))).length,
  };
}

async function postgresStore(): Promise<Store> {
  const server = await startPostgres({ settings: { max_connections: '400' } });
  const proxy = await startTcpProxy({ url: server.url });

  async function asked<R>(ask: (admin: Client) => Promise<R>): Promise<R> {
    const admin = new Client({ connectionString: server.url });
    admin.on('error', () => {});
    try {
      await admin.connect();
      return await ask(admin);
    } finally {
      await admin.end().catch(() => {});
    }
  }

  return {
    ...reached('ledger', server, proxy),
    refuseWrites: (refuse) =>
      asked(async (admin) => {
        const setting = 'default_transaction_read_only';
        await admin.query(`ALTER SYSTEM ${refuse ? `SET ${setting} = on` : `RESET ${setting}`}`);
        await admin.query('SELECT pg_reload_conf()');
      }),
    count: (prefix) =>
      asked(async (admin) => {
        const { rows } = await admin.query<{ count: string }>(
          `SELECT count(*) FROM ${admin.escapeIdentifier(prefix)}.records`,
        );
        return Number(rows[0]?.count);
      }),
  };
}

/** What both kinds of server have in common. */
function reached(name: string, server: RedisProcess | PostgresProcess, proxy: TcpProxy) {
  return {
    name,
    url: proxy.url,
    directUrl: server.url,
    how: server.how,
    proxy,
    kill: server.kill,
    restart: server.restart,
    async stop() {
      await proxy.close();
      await server.stop();
    },
  };
}
