import { deriveKey, type Attempt, type Ledger, type LedgerRecord } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { dropSchema, namespace } from '@sendonce/testkit';
import { databaseUrl } from '@sendonce/testkit/vitest';
import { Pool, type PoolConfig } from 'pg';
import { type PostgresLedger, postgresLedger, type PostgresLedgerOptions } from '../src/index.ts';

/**
 * A schema on the PostgreSQL of this test run, and the pools and ledgers opened in it.
 * @param ledgerUrl as which role its ledgers connect
 */
export function openSchema(name: string, url: string = databaseUrl(), ledgerUrl: string = url) {
  const schema = namespace(name);
  const quoted = `"${schema}"`;
  const pools: Pool[] = [];
  const ledgers: PostgresLedger[] = [];
  const space = {
    schema,
    quoted,
    url,
    ledgerUrl,
    pool(at: string = ledgerUrl, options: PoolConfig = {}): Pool {
      const pool = new Pool({ connectionString: at, ...options });
      // A connection that is cut on purpose is not worth a line in the output.
      pool.on('error', () => {});
      pools.push(pool);
      return pool;
    },
    ledger(pool: Pool = space.pool(), options: PostgresLedgerOptions = {}): PostgresLedger {
      const ledger = postgresLedger(pool, { schema, ...options });
      ledgers.push(ledger);
      return ledger;
    },
    /** Asks on a connection that no ledger uses; `:schema` is the schema. */
    async query<R extends object = Record<string, unknown>>(
      text: string,
      values: unknown[] = [],
    ): Promise<R[]> {
      return (await admin.query<R>(text.replaceAll(':schema', quoted), values)).rows;
    },
    /** The backends that hold a lease here. */
    async sessions(): Promise<{ pid: number; lock: string }[]> {
      return space.query(
        `SELECT DISTINCT l.pid, r.session::text AS lock FROM :schema.records r JOIN pg_locks l
         ON l.locktype = 'advisory' AND ((l.classid::bigint << 32) | l.objid::bigint) = r.session
         WHERE l.mode = 'ExclusiveLock'`,
      );
    },
    async close(): Promise<void> {
      await Promise.all(ledgers.map((ledger) => ledger.close()));
      await Promise.all(pools.filter((pool) => !pool.ending).map((pool) => pool.end()));
      await dropSchema(url, schema);
    },
  };
  const admin = space.pool(url, { max: 2 });
  return space;
}

export type Space = ReturnType<typeof openSchema>;

/** A ledger whose session, and all that it holds, ends at once; the next verb opens another one. */
export function mortal(space: Space): { ledger: PostgresLedger; die: () => Promise<void> } {
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

export function attempt(changes: Partial<Attempt> = {}): Attempt {
  const times = { leaseMs: 60_000, retentionMs: 600_000 };
  return { key: deriveKey(createToken()), token: createToken(), ...times, ...changes };
}

export async function listed(ledger: Ledger, state: 'open' | 'in-doubt'): Promise<LedgerRecord[]> {
  const records: LedgerRecord[] = [];
  for await (const record of ledger.list({ state })) records.push(record);
  return records;
}

export async function errorOf(
  promise: Promise<unknown>,
): Promise<Error & { code?: string; option?: string }> {
  return promise.then(
    () => {
      throw new Error('expected a rejection');
    },
    (error: Error) => error,
  );
}
