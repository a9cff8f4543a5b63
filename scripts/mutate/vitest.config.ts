import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const core = (path: string) =>
  fileURLToPath(new URL(`../../packages/core/src/${path}`, import.meta.url));

/** A mutant is dead at the first test that fails: those that wait for a lease come last. */
const SLOW = [
  'silent-sender',
  'replayed-meanwhile',
  'settle-via',
  'late-answers',
  'memory-model',
  'crash-simulation',
  'replay',
  'ledger-faults',
  'late-not-sent',
  'frozen',
];

class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      SLOW.findIndex((name) => moduleId.includes(`/${name}.`));
    return files.toSorted(
      (one, other) => rank(one) - rank(other) || one.moduleId.localeCompare(other.moduleId),
    );
  }
}

/**
 * The tests of core, and those of ledger-tests that test the memory ledger: not those of its suite.
 */
export default defineConfig({
  test: {
    include: [
      'packages/core/test/**/*.test.ts',
      'packages/ledger-tests/test/memory-ledger.test.ts',
      'packages/ledger-tests/test/ledger-faults.test.ts',
      'scripts/mutate/memory-model.ts',
    ],
    // In the copy that is mutated the workspace's links would lead to the sources that are not.
    alias: [
      { find: /^@sendonce\/core$/, replacement: core('index.ts') },
      { find: /^@sendonce\/core\/ledger$/, replacement: core('store/index.ts') },
      { find: /^@sendonce\/core\/inspect$/, replacement: core('inspect/index.ts') },
      { find: /^@sendonce\/core\/mail$/, replacement: core('mail/index.ts') },
    ],
    // One import of the sources for all files: a mutant must not cost more than its tests.
    isolate: false,
    sequence: { sequencer: QuickFirst },
    env: { SENDONCE_SEED: '1', SENDONCE_RUNS: '150' },
    // A test of short leases may fail on a busy machine. Only a mutant fails three times in a row.
    retry: { count: 2, condition: /^(?!Test timed out)/ },
    testTimeout: 15_000,
  },
});
