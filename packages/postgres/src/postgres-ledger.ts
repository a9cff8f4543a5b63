import type { Finding, Ledger } from '@sendonce/core';
import { examinePostgres } from './doctor.ts';
import { ledgerSession } from './ledger-session.ts';
import { checkOptions, type PostgresLedgerOptions } from './options.ts';
import { checkPool, type PostgresPool } from './pool.ts';
import { cancel, claim, dispatch, list, read, release, resolve, settle } from './verbs.ts';

/** The ledger that {@link postgresLedger} returns. */
export interface PostgresLedger extends Ledger, AsyncDisposable {
  /**
   * Opens the session, and creates or checks the schema, so that an error in the setup is found
   * when the program starts. Optional: the first verb does the same.
   * @throws {OptionError} for a pooler that shares sessions, a schema of another version, missing
   * rights.
   * @throws {LedgerUnavailableError}
   */
  ready(): Promise<void>;
  /** Checks durability, rights and versions of the server. */
  doctor(): Promise<readonly Finding[]>;
  /**
   * Gives the session back to the pool, permanently. Close the workers before it and the pool after
   * it. A claim that is still held is lost. `await using` calls it, too.
   */
  close(): Promise<void>;
}

/**
 * A ledger on PostgreSQL (13 or later), on a `Pool` of pg 8 that stays yours. One session holds an
 * advisory lock that is the lease of every claim made in it: the server frees it when this process
 * dies.
 * @throws {OptionError} for wrong options.
 *
 * @example
 * const ledger = postgresLedger(new Pool({ connectionString: process.env.DATABASE_URL }));
 */
export function postgresLedger(
  pool: PostgresPool,
  options: PostgresLedgerOptions = {},
): PostgresLedger {
  checkPool(pool);
  const session = ledgerSession(pool, checkOptions(options));
  return {
    claim: (request) => claim(session, request),
    dispatch: (attempt) => dispatch(session, attempt),
    settle: (settlement) => settle(session, settlement),
    release: (attempt) => release(session, attempt),
    heartbeat: (attempts) => session.claims.renew(attempts),
    read: (key) => read(session, key),
    list: (query) => list(session, query),
    resolve: (resolution) => resolve(session, resolution),
    cancel: (cancellation) => cancel(session, cancellation),
    onLost: (listener) => session.claims.onLost(listener),
    doctor: () => examinePostgres(session),
    async ready() {
      await session.query('SELECT 1', () => []);
    },
    close: () => session.close(),
    [Symbol.asyncDispose]: () => session.close(),
  };
}
