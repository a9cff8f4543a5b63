import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
  }
}

/** The URL of the Redis of this test run, which other test files use at the same time: take a `namespace`. */
export function redisUrl(): string {
  return inject('redisUrl');
}
