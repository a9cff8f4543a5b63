import { Pool } from 'pg';
import { storeOf } from '../guards.ts';
import { connect, openLedger } from '../ledgers.ts';
import type { CellPlan, EventKind } from '../messages.ts';
import { guarded } from './guarded.ts';
import type { NoticeProcessor } from './notice.ts';

/** The guard of a cell with its own connections, opened at their first use. */
export function openGuard(cell: CellPlan, tell: (kind: EventKind) => void) {
  const { guard, guardPrefix: prefix, guardUrls } = cell;
  const inPostgres = storeOf(guard) === 'postgres';
  const [url, ...others] = inPostgres ? (['redis://127.0.0.1'] as const) : guardUrls;
  const redis = connect(url, true);
  const more = others.map((other) => connect(other, true));
  // Two: one session for the locks, and one for all other queries.
  const pool = new Pool({ connectionString: inPostgres ? guardUrls[0] : '', max: 2 });
  pool.on('error', () => {});
  const { ledger, close } = openLedger(guard, { clients: [redis, ...more], pool }, prefix);
  return {
    wrap: (processor: NoticeProcessor) =>
      guarded[guard](processor, { redis, pool, ledger, prefix, tell }),
    async close() {
      await close();
      await pool.end();
      for (const client of [redis, ...more]) client.disconnect();
    },
  };
}
