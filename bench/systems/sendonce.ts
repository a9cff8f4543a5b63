import { once } from '@sendonce/bullmq';
import { postgresLedger } from '@sendonce/postgres';
import { redisLedger } from '@sendonce/redis';
import { redlockLedger } from '@sendonce/redlock';
import { Pool } from 'pg';
import type { NoticeJob, System } from '../system.ts';

const key = ({ data }: NoticeJob) => ['delivery-notice', data.orderId];

export const beforeProcessor: System = {
  title: 'sendonce, before-processor',
  async open({ connect, prefix }) {
    const ledger = redisLedger(connect(), { prefix });
    return ({ plain }) => once(plain, { ledger, key });
  },
};

export const atSend: System = {
  title: 'sendonce, at-send',
  async open({ connect, prefix }) {
    // The other mode has another ledger. Keys are never shared, because no order is.
    const ledger = redisLedger(connect(), { prefix });
    return ({ atSend }) => once(atSend, { ledger, key, dispatch: 'at-send' });
  },
};

export const redlock: System = {
  title: 'sendonce, redlock ledger ×3',
  async open({ connect, nodes, prefix }) {
    const clients = (await nodes()).map(({ url }) => connect(url));
    const ledger = redlockLedger(clients, { prefix });
    return ({ plain }) => once(plain, { ledger, key });
  },
};

export const postgres: System = {
  title: 'sendonce, PostgreSQL ledger',
  async open({ postgres, prefix, onEnd }) {
    const { url } = await postgres();
    const pool = new Pool({ connectionString: url });
    // The server goes first where a run fails.
    pool.on('error', () => {});
    onEnd(() => pool.end());
    const ledger = postgresLedger(pool, { schema: prefix });
    onEnd(() => ledger.close());
    await ledger.ready();
    return ({ plain }) => once(plain, { ledger, key });
  },
};
