import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** For the API: a request is answered within seconds, also when Redis is gone. */
export function connectForRequests(url: string): Redis {
  return quiet(
    new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false, commandTimeout: 2_000 }),
  );
}

/** For the worker: it waits until Redis is back. */
export function connectForWork(url: string): Redis {
  return quiet(new Redis(url, { maxRetriesPerRequest: null }));
}

/** Resolves when it is connected, or after a while: the API answers 503 until then. */
export async function connected(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return;
  await Promise.race([once(redis, 'ready'), sleep(3_000, undefined, { ref: false })]);
}

function quiet(redis: Redis): Redis {
  // The command that fails reports the error, and ioredis reconnects.
  return redis.on('error', () => {});
}
