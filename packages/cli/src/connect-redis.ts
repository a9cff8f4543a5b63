import { LedgerUnavailableError } from '@sendonce/core';
import { Redis } from 'ioredis';
import { readRedisUrl } from './server-url.ts';

/** ioredis never stops connecting to a server that answers with errors. */
const CONNECT_FOR_MS = 10_000;

interface ConnectOptions {
  /** The option or variable that the URL comes from, for errors. */
  readonly name: string;
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
export async function connectRedis(url: string, options: ConnectOptions): Promise<Redis> {
  const { host, database } = readRedisUrl(url, options.name);
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
    await connectInTime(client);
    // A client whose SELECT was refused would show database 0 under another name.
    if (Number(database) > 0) await client.select(Number(database));
  } catch (error) {
    if (options.optional) return client;
    client.disconnect();
    throw new LedgerUnavailableError(
      `Redis at ${host}, database ${database} does not answer (${reason || (error as Error).message}). ` +
        'Nothing was sent or changed. Check the URL and the server.',
      error,
    );
  }
  return client;
}

async function connectInTime(client: Redis): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('timeout')), CONNECT_FOR_MS);
  });
  try {
    await Promise.race([client.connect(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A wrong option is found after the connection is made, which would keep the process alive. */
export function closeOnError<T>(clients: readonly Redis[], create: () => T): T {
  try {
    return create();
  } catch (error) {
    for (const client of clients) client.disconnect();
    throw error;
  }
}
