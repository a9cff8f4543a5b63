import { availableParallelism } from 'node:os';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** These mock a package, or change what belongs to the process. */
const inAProcessOfTheirOwn = ['packages/bullmq/test/sandbox-v5.test.ts'];

const common = {
  setupFiles: [
    'packages/testkit/src/vitest-fresh-modules.ts',
    // A socket, server or child process left open fails the file.
    'packages/testkit/src/vitest-leaks.ts',
  ],
  // Tests send signals and count open sockets: threads would share both.
  pool: 'forks',
  // The Redis of the tests has no append-only file, and the ledger says so to every test file.
  execArgv: ['--disable-warning=SENDONCE_DOCTOR'],
  retry: 0,
  // They find what hangs, and judge no speed: a busy machine may take ten times as long.
  testTimeout: 120_000,
  expect: { poll: { timeout: 30_000 } },
  hookTimeout: 240_000,
} as const satisfies TestProjectInlineConfiguration['test'];

export default defineConfig({
  test: {
    globalSetup: [
      // One Redis for the whole run; the first run on a machine may download it.
      'packages/testkit/src/vitest-global-setup.ts',
      // One folder for the packed packages: two test files install them.
      'scripts/vitest-pack-folder.ts',
    ],
    // They wait more than they work.
    maxWorkers: 2 * availableParallelism(),
    projects: [
      {
        test: {
          ...common,
          name: 'sendonce',
          include: [
            'packages/*/test/**/*.test.ts',
            'examples/*/test/**/*.test.ts',
            'docs/test/**/*.test.ts',
            'scripts/**/*.test.ts',
            'spec/test/**/*.test.ts',
            'bench/**/*.test.ts',
            'torture/test/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**', ...inAProcessOfTheirOwn],
          // A process runs one file after the other: see vitest-fresh-modules.ts.
          isolate: false,
        },
      },
      { test: { ...common, name: 'own process', include: inAProcessOfTheirOwn } },
    ],
  },
});
