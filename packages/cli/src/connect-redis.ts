import { LedgerUnavailableError } from '@sendonce/core';
import { Redis } from 'ioredis';
import { UsageError } from './terminal.ts';

interface ConnectOptions {
  /**
   * Returns the client even if its server does not answer: a quorum does without it.
   * @default false
   */
  readonly optional?: boolean;
  /** Sets what BullMQ needs of a client. @default false */
  readonly forQueue?: boolean;
}

/**
 * Connects to a Redis.
 * @throws {LedgerUnavailableError} if the server does not answer
 * @throws {UsageError} if the URL is not one of a Redis
 */
export async function connectRedis(url: string, options: ConnectOptions = {}): Promise<Redis> {
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) {
    throw new UsageError('Expected the URL of a Redis, such as redis://127.0.0.1:6379.');
  }
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5_000,
    maxRetriesPerRequest: options.forQueue ? null : 1,
    // A person waits for the answer.
    retryStrategy: (times) => (times > 2 ? null : 100),
  });
  let reason = '';
  client.on('error', (error: Error & { code?: string }) => {
    // For a wrong password this is the server's own message, without the password.
    reason = error.code ?? error.message;
  });
  try {
    await client.connect();
  } catch (error) {
    if (options.optional) return client;
    client.disconnect();
    throw new LedgerUnavailableError(
      `Redis at ${locationOf(url)} does not answer (${reason || (error as Error).message}). Nothing ` +
        'was sent or changed. Check the URL and the server.',
      error,
    );
  }
  return client;
}

/** The host and the path of a URL, without user and password. */
export function locationOf(url: string): string {
  if (!URL.canParse(url)) return 'a URL that cannot be read';
  const { host, pathname } = new URL(url);
  return host + (pathname === '/' ? '' : pathname);
}
