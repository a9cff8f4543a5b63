import { postgresLedger } from '@sendonce/postgres';
import { redisLedger } from '@sendonce/redis';
import { redlockLedger } from '@sendonce/redlock';
import { Pool } from 'pg';
import { storeOf } from '../guards.ts';
import type { CellPlan, EventKind } from '../messages.ts';
import { connect } from '../stores.ts';
import { guarded } from './guarded.ts';
import type { NoticeProcessor } from './notice.ts';

/** The guard of a cell with connections of its own, opened when they are first used. */
export function openGuard(cell: CellPlan, tell: (kind: EventKind) => void) {
  const { guard, guardPrefix: prefix, guardUrls } = cell;
  const store = storeOf(guard);
  const [url] = guardUrls;
  // Two: one session for the locks, one for whatever else is asked.
  const pool = new Pool({ connectionString: store === 'postgres' ? url : '', max: 2 });
  pool.on('error', () => {});
  const clients = store === 'postgres' ? [] : guardUrls.map((each) => connect(each, true));
  const redis = clients[0] ?? connect('redis://127.0.0.1', true);
  const postgres = store === 'postgres' ? postgresLedger(pool, { schema: prefix }) : undefined;
  const onRedis = () =>
    store === 'redlock'
      ? redlockLedger(clients, { prefix, timeoutMs: 2_000 })
      : redisLedger(redis, { prefix });
  const ledger = postgres ?? onRedis();
  return {
    wrap: (processor: NoticeProcessor) =>
      guarded[guard](processor, { redis, pool, ledger, prefix, tell }),
    async close() {
      await postgres?.close();
      await pool.end();
      for (const client of clients) client.disconnect();
      redis.disconnect();
    },
  };
}
