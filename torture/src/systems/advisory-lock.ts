import { keyOf } from '../email.ts';
import type { System } from '../system.ts';

export const advisoryLock: System = {
  title: 'pg advisory lock',
  packages: ['pg'],
  setup:
    'https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS: pg_advisory_lock() around the processor, in its own session',
  store: 'postgres',
  async open({ plan, processor }) {
    const { Pool } = await import('pg');
    // Each job under way holds a session.
    const pool = new Pool({ connectionString: plan.storeUrls[0], max: plan.concurrency });
    pool.on('error', () => {});
    return {
      processor: async (job, token, signal) => {
        const client = await pool.connect();
        // A session that is lost says so here; its lock is gone with it.
        client.on('error', () => {});
        const key = `${plan.storePrefix}:${keyOf(job.data).join(':')}`;
        const locked = (verb: string) =>
          client.query(`SELECT pg_advisory_${verb}(hashtextextended($1, 0))`, [key]);
        try {
          await locked('lock');
          return await processor(job, token, signal);
        } finally {
          // A session that cannot unlock is closed, which unlocks, and the job that has sent
          // completes.
          await locked('unlock').then(
            () => client.release(),
            (error: Error) => client.release(error),
          );
        }
      },
      close: () => pool.end(),
    };
  },
};
