import { warn } from '@sendonce/core/ledger';
import { isStatementError } from './errors.ts';
import type { PostgresPool } from './pool.ts';

const ROWS_AT_ONCE = 1000;

/**
 * Removes what counts as absent, in small batches on another connection of the pool. Rows that are
 * locked are skipped, so that no email waits for it.
 */
export async function sweep(pool: PostgresPool, schema: string): Promise<void> {
  const client = await pool.connect();
  try {
    for (;;) {
      const { rows } = await client.query(`SELECT ${schema}.sweep($1) AS removed`, [ROWS_AT_ONCE]);
      const isFull = Number(rows[0]?.['removed']) >= ROWS_AT_ONCE;
      // Also if the count is no number, because the application has set another parser.
      if (!isFull) return;
    }
  } finally {
    // Closed: an idle connection would keep the process alive for ten seconds.
    client.release(true);
  }
}

/**
 * Does this work about every so many milliseconds, without keeping the process alive. Returns what
 * stops it.
 */
export function every(intervalMs: number, work: () => Promise<void>): () => void {
  let hasWarned = false;
  // Spread: the workers of a deployment start together.
  const spreadMs = Math.ceil(intervalMs * (0.75 + Math.random() / 2));
  const timer = setInterval(() => {
    work().catch((error: unknown) => {
      // The verbs report a server that is down. A sweep that the server rejects is reported only
      // here.
      if (hasWarned || !isStatementError(error)) return;
      hasWarned = true;
      const { message } = error as Error;
      warn('SENDONCE_SWEEP', `sendonce could not remove expired records: ${message}`);
    });
  }, spreadMs).unref();
  return () => clearInterval(timer);
}
