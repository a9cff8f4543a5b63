import type { TestProject } from 'vitest/node';
import { findRedis } from './redis-server.ts';

/** Gives the whole run one Redis, and says which in one line. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await findRedis();
  console.log(`sendonce tests: ${redis.how}`);
  project.provide('redisUrl', redis.url);
  return redis.stop;
}
