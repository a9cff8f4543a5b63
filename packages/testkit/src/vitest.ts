import { inject, test } from 'vitest';
import { everything, sampleOf } from './sample.ts';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
    databaseUrl: string;
    sample: string;
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

/** The name of this run's sample; undefined in a run of every case, such as `pnpm test:all`. */
export function sampleOfRun(): string | undefined {
  const sample = inject('sample');
  return sample === everything ? undefined : sample;
}

/**
 * Like `test.each`, with one case in `oneIn`: the commit decides which, and the others are skipped.
 * For tables that are too long for each run; a run of `pnpm test:all` has every case.
 */
export function testSome<T>(cases: readonly T[], { name, oneIn }: { name: string; oneIn: number }) {
  const chosen = new Set(sampleOf(cases, { name, oneIn, sample: inject('sample') }));
  return (title: (one: T) => string, run: (one: T) => void | Promise<void>): void => {
    for (const one of cases) {
      (chosen.has(one) ? test : test.skip)(title(one), async () => run(one));
    }
  };
}

/** One of two, by the kind of run: `pnpm test:all` has every case, other runs have a sample. */
export function inThisRun<T>({ all, sample }: { all: T; sample: T }): T {
  return sampleOfRun() === undefined ? all : sample;
}
