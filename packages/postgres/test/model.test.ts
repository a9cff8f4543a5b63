import { describeModel } from '@sendonce/ledger-tests';
import { inThisRun } from '@sendonce/testkit/vitest';
import { mortal, openSchema } from './database.ts';

describeModel(
  'the PostgreSQL ledger',
  async () => {
    const space = openSchema('model');
    const [one, other] = [mortal(space), mortal(space)];
    await one.ledger.ready();
    return {
      ledger: one.ledger,
      other: other.ledger,
      timeUnitMs: 60,
      // Its leases end with the session and not by time.
      fallSilent: async () => void (await Promise.all([one.die(), other.die()])),
      close: () => space.close(),
    };
  },
  { runs: inThisRun({ all: 100, sample: 33 }) },
);
