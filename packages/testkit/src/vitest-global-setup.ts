import type { TestProject } from 'vitest/node';
import { findPostgres } from './postgres-server.ts';
import { findRedis } from './redis-server.ts';

/** Gives the whole run one Redis and one PostgreSQL, and says which in one line. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [redis, postgres] = await Promise.all([findRedis(), findPostgres()]);
  console.log(`sendonce tests: ${redis.how}; ${postgres.how}`);
  project.provide('redisUrl', redis.url);
  project.provide('databaseUrl', postgres.url);
  return async () => {
    await Promise.all([redis.stop(), postgres.stop()]);
  };
}
