import { describeModel, memoryUnderTest } from '../../packages/ledger-tests/src/index.ts';

// A fixed seed (see vitest.config.ts), so that a mutant that survives today survives tomorrow.
describeModel('the memory ledger', () => memoryUnderTest(), { runs: 150 });
