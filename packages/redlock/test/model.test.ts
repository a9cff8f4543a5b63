import { describeModel } from '@sendonce/ledger-tests';
import { startNodes } from './nodes.ts';

describeModel(
  'the redlock ledger on 3 nodes',
  async () => {
    const nodes = await startNodes(3);
    return {
      // So long that no node is given up that only stands still: its answer would come into a later
      // step.
      ledger: nodes.ledger({ answerWithinMs: 10_000 }),
      other: nodes.ledger({ answerWithinMs: 10_000 }),
      timeUnitMs: 200,
      close: () => nodes.close(),
    };
  },
  { runs: 200, lanes: 12, byMajority: true },
);
