import { batched, type RunOperation } from './batch.ts';
import { toLedgerError } from './ledger-error.ts';
import { migrate } from './migrate.ts';
import type { CheckedOptions } from './options.ts';
import type { PostgresPool, Queryable, Row } from './pool.ts';
import { encodeOperations, RECORD_FORMAT } from './record.ts';
import { keepSession, type Session } from './session.ts';
import { type SessionClaims, sessionClaims } from './session-claims.ts';
import { every, sweep } from './sweep.ts';

/** What the verbs of a ledger work with. */
export interface LedgerSession {
  /** The schema as SQL names it. */
  readonly schema: string;
  readonly claims: SessionClaims;
  readonly run: RunOperation;
  /** Runs one statement in the session. @throws {SendonceError} */
  query(text: string, values: (session: Session) => unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** As long as pg itself keeps a connection that is not used. */
const IDLE_MS = 10_000;

/** The session of a ledger, opened by its first statement, and the sweep that runs beside it. */
export function ledgerSession(pool: PostgresPool, options: CheckedOptions): LedgerSession {
  const { schema, answerWithinMs } = options;
  let stopSweeping: (() => void) | undefined;

  async function prepare(connection: Queryable): Promise<void> {
    // Once for each process: later, `act` notices a schema of another release.
    if (stopSweeping) return;
    await migrate(connection, schema, options.migrate);
    stopSweeping ??= every(options.intervalMs, async () => {
      await claims.releaseForgotten();
      await sweep(pool, schema);
    });
  }

  const session = keepSession({
    pool,
    answerWithinMs,
    prepare,
    idle: { afterMs: IDLE_MS, holdsNothing: () => claims.held.size === 0 },
    onLost: () => void claims.renewAfterLoss(),
  });

  async function query(text: string, values: (session: Session) => unknown[]): Promise<Row[]> {
    let own: Session | undefined;
    try {
      own = await session.current();
      return (await own.query(text, values(own))).rows;
    } catch (error) {
      throw await toLedgerError(error, own ?? pool, schema);
    }
  }

  const actText = `SELECT * FROM ${schema}.act($1, $2, $3, $4, $5)`;
  const run = batched((operations, durable) => {
    const encoded = encodeOperations(operations);
    return query(actText, ({ pid, lock }) => [pid, lock, durable, encoded, RECORD_FORMAT]);
  });
  const claims = sessionClaims({
    run,
    runForNoSession(operations) {
      const encoded = encodeOperations(operations);
      return query(actText, ({ pid }) => [pid, null, true, encoded, RECORD_FORMAT]);
    },
    renewWithinMs: answerWithinMs,
  });

  return {
    schema,
    claims,
    run,
    query,
    async close() {
      await session.close();
      stopSweeping?.();
      claims.notifyLost();
    },
  };
}
