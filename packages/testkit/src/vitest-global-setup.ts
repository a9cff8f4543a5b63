import type { TestProject } from 'vitest/node';
import { findPostgres } from './postgres-server.ts';
import { findRedis } from './redis-server.ts';
import { everything, sampleOfThisRun } from './sample.ts';

/** Gives the whole run one Redis, one PostgreSQL and one sample, and says which in two lines. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [redis, postgres] = await Promise.all([findRedis(), findPostgres()]);
  const sample = sampleOfThisRun();
  console.log(`sendonce tests: ${redis.how}; ${postgres.how}`);
  console.log(`sendonce tests: ${describe(sample)}`);
  project.provide('redisUrl', redis.url);
  project.provide('databaseUrl', postgres.url);
  project.provide('sample', sample);
  return async () => {
    await Promise.all([redis.stop(), postgres.stop()]);
  };
}

function describe(sample: string): string {
  if (sample === everything) return 'every case';
  return `of long tables the sample "${sample}" (SENDONCE_SAMPLE); pnpm test:all has every case`;
}
