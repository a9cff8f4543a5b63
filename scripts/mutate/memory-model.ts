import { describeModel, memoryUnderTest } from '../../packages/ledger-tests/src/index.ts';

// A seed of its own (see vitest.config.ts), so that a mutant that survives today survives tomorrow.
describeModel('the memory ledger', () => memoryUnderTest(), { runs: 150 });
