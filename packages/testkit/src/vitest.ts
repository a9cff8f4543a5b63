import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
    databaseUrl: string;
  }
}

/**
 * The URL of the Redis of this test run, which other test files use at the same time: take a
 * `namespace`.
 */
export function redisUrl(): string {
  return inject('redisUrl');
}

/** The URL of the PostgreSQL of this test run: take a schema of your own by `namespace`. */
export function databaseUrl(): string {
  return inject('databaseUrl');
}
