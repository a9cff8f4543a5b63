import { startPostgres, startRedis, startTcpProxy, type TcpProxy } from '@sendonce/testkit';
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
  /** As a disk that is full, or a memory: reads go on, writes are refused. */
  readonly refuseWrites: (refuse: boolean) => Promise<void>;
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
  return {
    name,
    url: proxy.url,
    directUrl: server.url,
    how: server.how,
    proxy,
    kill: server.kill,
    restart: server.restart,
    async refuseWrites(refuse) {
      const admin = new Redis(server.url, { retryStrategy: () => null, lazyConnect: true });
      admin.on('error', () => {});
      try {
        await admin.connect();
        await admin.config('SET', 'maxmemory', refuse ? '1' : '0');
      } finally {
        admin.disconnect();
      }
    },
    async stop() {
      await proxy.close();
      await server.stop();
    },
  };
}

async function postgresStore(): Promise<Store> {
  const server = await startPostgres({ settings: { max_connections: '400' } });
  const proxy = await startTcpProxy({ url: server.url });
  return {
    name: 'ledger',
    url: proxy.url,
    directUrl: server.url,
    how: server.how,
    proxy,
    kill: server.kill,
    restart: server.restart,
    async refuseWrites(refuse) {
      const admin = new Client({ connectionString: server.url });
      admin.on('error', () => {});
      try {
        await admin.connect();
        const setting = 'default_transaction_read_only';
        await admin.query(`ALTER SYSTEM ${refuse ? `SET ${setting} = on` : `RESET ${setting}`}`);
        await admin.query('SELECT pg_reload_conf()');
      } finally {
        await admin.end().catch(() => {});
      }
    },
    async stop() {
      await proxy.close();
      await server.stop();
    },
  };
}
