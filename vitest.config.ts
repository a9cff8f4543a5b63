import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'examples/*/test/**/*.test.ts',
      'docs/test/**/*.test.ts',
      'scripts/**/*.test.ts',
      'spec/test/**/*.test.ts',
      'bench/**/*.test.ts',
      'torture/test/**/*.test.ts',
    ],
    globalSetup: [
      // One Redis for the whole run; the first run on a machine may download it.
      'packages/testkit/src/vitest-global-setup.ts',
      // One folder for the packed packages: two test files install them.
      'scripts/vitest-pack-folder.ts',
    ],
    // A socket, server or child process left open fails the file.
    setupFiles: 'packages/testkit/src/vitest-leaks.ts',
    // Tests send signals and count open sockets: threads would share both.
    pool: 'forks',
    // They wait more than they work: two at a time on two cores, where vitest would take one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // The Redis of the tests has no append-only file, and the ledger says so to every test file.
    execArgv: ['--disable-warning=SENDONCE_DOCTOR'],
    retry: 0,
    // They find what hangs, and judge no speed: a busy machine may take ten times as long.
    testTimeout: 120_000,
    hookTimeout: 240_000,
  },
});
