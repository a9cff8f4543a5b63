import { describeModel } from '@sendonce/ledger-tests';
import { inThisRun } from '@sendonce/testkit/vitest';
import { startNodes } from './nodes.ts';

describeModel(
  'the redlock ledger on 3 nodes',
  async () => {
    const nodes = await startNodes(3);
    return {
      // So long that no node is given up that is only frozen: its answer would arrive in a later
      // step.
      ledger: nodes.ledger({ answerWithinMs: 10_000 }),
      other: nodes.ledger({ answerWithinMs: 10_000 }),
      timeUnitMs: 200,
      close: () => nodes.close(),
    };
  },
  { runs: inThisRun({ all: 200, sample: 66 }), lanes: 12, byMajority: true },
);
