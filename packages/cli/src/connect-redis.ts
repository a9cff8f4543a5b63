import { Redis } from 'ioredis';
import { UnavailableError, UsageError } from './terminal.ts';

interface Connecting {
  /** One of several: the others may do without it. */
  readonly mayBeAway?: boolean;
  /** BullMQ wants a client that waits. */
  readonly forQueue?: boolean;
}

/** @throws {UnavailableError} where the server does not answer. @throws {UsageError} for no URL of a Redis. */
export async function connectRedis(url: string, connecting: Connecting = {}): Promise<Redis> {
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) {
    throw new UsageError('Expected the URL of a Redis, such as redis://127.0.0.1:6379.');
  }
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5_000,
    maxRetriesPerRequest: connecting.forQueue ? null : 1,
    // Somebody waits for an answer now.
    retryStrategy: (times) => (times > 2 ? null : 100),
  });
  let why = '';
  client.on('error', (error: Error & { code?: string }) => {
    // With its password wrong, the server tells that, and no more.
    why = error.code ?? error.message;
  });
  try {
    await client.connect();
  } catch (error) {
    if (connecting.mayBeAway) return client;
    client.disconnect();
    throw new UnavailableError(
      `Redis at ${hostOf(url)} does not answer (${why || (error as Error).message}). Nothing was changed. Is the URL right, and the server up?`,
    );
  }
  return client;
}

/** Where a URL leads, without user and password. */
export function hostOf(url: string): string {
  if (!URL.canParse(url)) return 'a URL that cannot be read';
  const { host, pathname } = new URL(url);
  return host + (pathname === '/' ? '' : pathname);
}
