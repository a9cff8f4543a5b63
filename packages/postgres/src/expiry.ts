import { isRefusal } from './errors.ts';
import type { PostgresPool } from './pool.ts';

const BATCH = 1000;

/**
 * Removes what counts as absent, in small batches on another connection of the pool: rows that somebody
 * uses are skipped, so that no email waits for it.
 */
export async function sweep(pool: PostgresPool, schema: string): Promise<void> {
  const client = await pool.connect();
  try {
    for (;;) {
      const { rows } = await client.query(`SELECT ${schema}.sweep($1) AS removed`, [BATCH]);
      if (Number(rows[0]?.['removed']) < BATCH) return;
    }
  } finally {
    // Closed: an idle connection would keep the process alive for ten seconds.
    client.release(true);
  }
}

/** Does this work now and then, and never keeps the process alive for it. Returns what stops it. */
export function nowAndThen(everyMs: number, work: () => Promise<void>): () => void {
  let warned = false;
  // Spread: the workers of a deployment start together.
  const spreadMs = Math.ceil(everyMs * (0.75 + Math.random() / 2));
  const timer = setInterval(() => {
    work().catch((error: unknown) => {
      // A server that is down is told of by the verbs; one that says no to this is heard nowhere else.
      if (warned || !isRefusal(error)) return;
      warned = true;
      const { message } = error as Error;
      process.emitWarning(`sendonce could not remove expired records: ${message}`, {
        type: 'SendonceWarning',
        code: 'SENDONCE_SWEEP',
      });
    });
  }, spreadMs).unref();
  return () => clearInterval(timer);
}
