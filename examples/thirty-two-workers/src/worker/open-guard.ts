import { storeOf } from '../guards.ts';
import { connect, openLedger } from '../ledgers.ts';
import type { CellPlan, EventKind } from '../messages.ts';
import { guarded } from './guarded.ts';
import type { NoticeProcessor } from './notice.ts';

/** The guard of a cell with its own connections, opened at their first use. */
export async function openGuard(cell: CellPlan, tell: (kind: EventKind) => void) {
  const { guard, guardPrefix: prefix, guardUrls } = cell;
  const inPostgres = storeOf(guard) === 'postgres';
  const [url, ...others] = inPostgres ? (['redis://127.0.0.1'] as const) : guardUrls;
  const redis = connect(url, true);
  const more = others.map((other) => connect(other, true));
  const pool = inPostgres ? await openPool(guardUrls[0]) : undefined;
  const { ledger, close } = openLedger(guard, { clients: [redis, ...more], pool }, prefix);
  return {
    wrap: (processor: NoticeProcessor) =>
      guarded[guard](processor, { redis, pool, ledger, prefix, tell }),
    async close() {
      await close();
      await pool?.end();
      for (const client of [redis, ...more]) client.disconnect();
    },
  };
}

/** 32 processes that start at the same time load what all of them need, and no more. */
async function openPool(connectionString: string) {
  const { default: pg } = await import('pg');
  // Two: one session for the locks, and one for all other queries.
  const pool = new pg.Pool({ connectionString, max: 2 });
  pool.on('error', () => {});
  return pool;
}
