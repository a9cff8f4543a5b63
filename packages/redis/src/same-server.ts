import type { RedisClient } from './client.ts';

/**
 * Whether another client talks to the same database of the same running server as the ledger's. If
 * it is led elsewhere later (a failover that only one of them has followed), the ledger does not
 * find what it writes: a doubt, and no second email.
 */
export async function isSameServer(own: RedisClient, other: RedisClient): Promise<boolean> {
  if (databaseOf(own) !== databaseOf(other)) return false;
  try {
    const [one, another] = await Promise.all([own.info('server'), other.info('server')]);
    const run = runOf(one);
    return run !== undefined && run === runOf(another);
  } catch {
    // Not allowed to ask, or no answer: the ledger's own connection will do.
    return false;
  }
}

/** An ioredis client of one server: of others nothing tells which database they have selected. */
export function isPlainClient(client: unknown): client is RedisClient {
  const { isCluster, options, evalsha, info } = (client ?? {}) as Partial<RedisClient>;
  const isClient = typeof evalsha === 'function' && typeof info === 'function';
  return isClient && !isCluster && typeof (options as { db?: unknown })?.db === 'number';
}

function databaseOf({ options }: RedisClient): unknown {
  return (options as { db?: unknown }).db;
}

function runOf(info: unknown): string | undefined {
  return /run_id:(\w+)/.exec(String(info))?.[1];
}
