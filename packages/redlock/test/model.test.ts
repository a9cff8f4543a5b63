import { describeModel } from '@sendonce/ledger-tests';
import { startNodes } from './nodes.ts';

describeModel(
  'the redlock ledger on 3 nodes',
  async () => {
    const nodes = await startNodes(3);
    return {
      ledger: nodes.ledger({ timeoutMs: 2_000 }),
      other: nodes.ledger({ timeoutMs: 2_000 }),
      timeUnitMs: 200,
      close: () => nodes.close(),
    };
  },
  { runs: 200, lanes: 12, byMajority: true },
);
