import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is mutated, and by which tests it must be noticed. See docs/decisions/0026-mutants.md. */
export default {
  mutate: [
    'packages/core/src/attempt/*.ts',
    'packages/core/src/doubts/*.ts',
    'packages/core/src/store/*.ts',
    'packages/core/src/lease-renewer.ts',
    'packages/core/src/memory-ledger.ts',
  ],
  // A word of a type that becomes '' does not compile, and the other texts are for people.
  mutator: { excludedMutations: ['StringLiteral'] },
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'scripts/mutate/vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  concurrency: 3,
  // A mutant that waits for ever is found by this. The busiest machine that was seen needs less.
  timeoutMS: 40_000,
  reporters: ['progress-append-only', 'json'],
  jsonReporter: { fileName: 'node_modules/.mutate/report.json' },
  // Not below node_modules: vitest would not run the runner's setup again for each file there.
  tempDirName: join(tmpdir(), 'sendonce-mutate'),
  ignorePatterns: [
    '**',
    '!package.json',
    '!tsconfig*.json',
    '!packages/core/**',
    '!packages/ledger-tests/**',
    '!scripts/mutate/**',
    'packages/*/node_modules',
  ],
  // TypeScript 7 has no API in JavaScript: Stryker must not look for a tsconfig.json.
  tsconfigFile: 'none.json',
};
