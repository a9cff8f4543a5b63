import { Redis } from 'ioredis';
import {
  type RedisBinary,
  type Way,
  binaryWays,
  firstThatWorks,
  reasonOf,
} from './redis-binary.ts';
import { startRedisContainer } from './redis-container.ts';
import { startRedisWith } from './redis-process.ts';

export interface FoundRedis {
  url: string;
  host: string;
  port: number;
  /** One line: "Redis 7.0.15, Debian package unpacked into ~/.cache/sendonce/…". */
  how: string;
  /** The program, when this process started one. */
  binary?: string;
  /** Ends the server if `findRedis` started it; a server behind REDIS_URL is left alone. */
  stop: () => Promise<void>;
}

/**
 * Finds or starts a Redis for a whole test run. The first that works of:
 *
 * 1. the environment variable REDIS_URL: if it is set, nothing else is tried;
 * 2. redis-server or valkey-server on PATH;
 * 3. Docker, if an engine answers within 2 s;
 * 4. the distribution's package, unpacked into the cache folder (Debian, Ubuntu; no root);
 * 5. redis-memory-server, which compiles Redis.
 *
 * Never uses a running Redis that no URL pointed at. Throws one error that lists each way and its
 * failure.
 */
export async function findRedis(): Promise<FoundRedis> {
  const url = process.env['REDIS_URL'];
  if (url) return atUrl(url);
  const { onPath, download } = binaryWays;
  return firstThatWorks('No Redis could be found or started.', [
    started(onPath),
    ['Docker', fromDocker],
    ...download.map(started),
  ]);
}

function started([way, find]: Way<RedisBinary>): Way<FoundRedis> {
  return [
    way,
    async () => {
      const { url, host, port, how, binary, stop } = await startRedisWith(await find(), {});
      return { url, host, port, how, binary, stop };
    },
  ];
}

async function fromDocker(): Promise<FoundRedis> {
  const { host, port, how, stop } = await startRedisContainer();
  const url = `redis://${host}:${port}`;
  return { url, host, port, how: `${await versionAt(url)}, ${how}`, stop };
}

async function atUrl(url: string): Promise<FoundRedis> {
  const { hostname, port, host } = new URL(url);
  try {
    const how = `${await versionAt(url)}, REDIS_URL at ${host}`;
    return { url, host: hostname, port: Number(port || 6379), how, stop: async () => {} };
  } catch (error) {
    const message = `REDIS_URL is set, but ${host} cannot be used: ${reasonOf(error)}. Start it, or unset REDIS_URL.`;
    throw new Error(message, { cause: error });
  }
}

/** "Redis 7.0.15" or "Valkey 8.1.1"; rejects within 5 s when nothing answers. */
async function versionAt(url: string): Promise<string> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5000,
    commandTimeout: 5000,
    retryStrategy: () => null,
  });
  // connect() rejects with the same error.
  client.on('error', () => {});
  try {
    await client.connect();
    const info = await client.info('server');
    const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1];
    return valkey ? `Valkey ${valkey}` : `Redis ${/^redis_version:(\S+)/m.exec(info)?.[1] ?? '?'}`;
  } finally {
    client.disconnect();
  }
}
