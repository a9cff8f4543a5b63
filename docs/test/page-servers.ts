import {
  startPostgres,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
  startSmtpServer,
} from '@sendonce/testkit';
import { brevoDialect } from '@sendonce/testkit/providers/brevo-server';
import { startProviderServer } from '@sendonce/testkit/providers/provider-server';
import { resendDialect } from '@sendonce/testkit/providers/resend-server';
import { Redis } from 'ioredis';
import { Client } from 'pg';

/** Real servers at the addresses that the pages name. */
export interface PageServers {
  readonly redisPort: number;
  /** For a process that runs the code of a page: where the addresses lead, and the secrets. */
  environment(code: string): Promise<Record<string, string>>;
  /** The emails that have arrived since the last `forget()`, at all mail servers and providers. */
  emails(): string[];
  /** Forgets all emails, and empties the Redis at 127.0.0.1:6379. */
  forget(): Promise<void>;
  stop(): Promise<void>;
}

type Ports = Record<string, number>;

export async function startPageServers(): Promise<PageServers> {
  const redis = await startRedis({ appendOnly: true });
  const client = new Redis(redis.url);
  const smtp = await startSmtpServer();
  const resend = await startProviderServer(resendDialect);
  const brevo = await startProviderServer(brevoDialect);
  const stops: (() => Promise<void>)[] = [
    redis.stop,
    smtp.close,
    async () => resend.close(),
    async () => brevo.close(),
  ];

  const ports: Ports = {
    '127.0.0.1:6379': redis.port,
    'localhost:6379': redis.port,
    '127.0.0.1:1025': smtp.port,
    'smtp.example.com': smtp.port,
  };
  const origins = {
    'https://api.resend.com': new URL(resend.url).origin,
    'https://api.brevo.com': new URL(brevo.url).origin,
  };

  const started = new Map<string, Promise<Ports>>();
  const startOnce = async (name: string, start: () => Promise<Ports>): Promise<Ports> => {
    if (!started.has(name)) started.set(name, start());
    return started.get(name)!;
  };

  /** Started for the first page that names them. */
  const others: Record<string, () => Promise<Ports>> = {
    '10.0.0.1': async () => {
      const nodes = await Promise.all([1, 2, 3].map(async () => startRedis({ appendOnly: true })));
      stops.push(...nodes.map((node) => node.stop));
      return Object.fromEntries(nodes.map(({ port }, index) => [`10.0.0.${index + 1}`, port]));
    },
    'port: 7000': async () => {
      const cluster = await startRedisCluster();
      stops.push(cluster.stop);
      return { '127.0.0.1:7000': cluster.startupNodes[0]!.port };
    },
    'port: 26379': async () => {
      const sentinel = await startRedisSentinel();
      stops.push(sentinel.stop);
      return { '127.0.0.1:26379': sentinel.sentinels[0]!.port };
    },
    '/shop': async () => {
      // With fsync, as otherwise the ledger warns.
      const postgres = await startPostgres({ settings: { fsync: 'on' } });
      stops.push(postgres.stop);
      await createDatabase(postgres.url, 'shop');
      return { '127.0.0.1:5432': postgres.port, 'localhost:5432': postgres.port };
    },
  };

  return {
    redisPort: redis.port,
    async environment(code) {
      for (const [address, start] of Object.entries(others)) {
        const isNamed =
          code.includes(address) || (address === '/shop' && /DATABASE_URL/.test(code));
        if (isNamed) Object.assign(ports, await startOnce(address, start));
      }
      return {
        PAGE_NETWORK: JSON.stringify({ ports, origins }),
        REDIS_URL: redis.url,
        DATABASE_URL: 'postgres://127.0.0.1/shop',
        PGUSER: 'postgres',
        PGPASSWORD: 'sendonce',
        RESEND_API_KEY: resendDialect.apiKey,
        BREVO_API_KEY: brevoDialect.apiKey,
        AZURE_KEY: 'YQ==',
      };
    },
    emails: () => [...smtp.received, ...resend.accepted, ...brevo.accepted].map(({ raw }) => raw),
    async forget() {
      await client.flushall();
      for (const emails of [smtp.received, resend.accepted, brevo.accepted]) emails.length = 0;
    },
    async stop() {
      client.disconnect();
      for (const stop of stops) await stop();
    },
  };
}

async function createDatabase(url: string, name: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}
