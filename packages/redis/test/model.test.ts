import { describeModel } from '@sendonce/ledger-tests';
import { inThisRun } from '@sendonce/testkit/vitest';
import { redisLedger } from '../src/index.ts';
import { openNamespace } from './connections.ts';

describeModel(
  'the Redis ledger',
  () => {
    const space = openNamespace('model');
    const { prefix } = space;
    return {
      ledger: redisLedger(space.connect(), { prefix }),
      other: redisLedger(space.connect(), { prefix }),
      timeUnitMs: 120,
      close: () => space.close(),
    };
  },
  { runs: inThisRun({ all: 300, sample: 100 }), lanes: 12 },
);
