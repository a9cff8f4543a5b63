import { describeModel } from '@sendonce/ledger-tests';
import type { PostgresLedger } from '../src/index.ts';
import { openSchema, type Space } from './database.ts';

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
  { runs: 100 },
);

/** A ledger whose session, and all that it holds, ends at once; the next verb opens another one. */
function mortal(space: Space) {
  const pool = space.pool();
  let living = space.ledger(pool);
  const ledger = new Proxy({} as PostgresLedger, {
    get: (_, verb: keyof PostgresLedger) => living[verb],
  });
  return {
    ledger,
    async die() {
      const dead = living;
      living = space.ledger(pool);
      await dead.close();
    },
  };
}
