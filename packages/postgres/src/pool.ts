import { OptionError } from '@sendonce/core';
import { describe } from '@sendonce/core/ledger';

export type Row = Record<string, unknown>;

/** What both a pool and one of its connections can do. */
export interface Queryable {
  query(text: string, values?: unknown[]): Promise<{ rows: Row[] }>;
}

/**
 * The few methods that the ledger needs of a pool: those of a `Pool` of pg 8. The pool stays the
 * caller's: it is never changed or ended here. The ledger takes one of its connections while claims
 * are held.
 */
export interface PostgresPool extends Queryable {
  connect(): Promise<PostgresClient>;
  readonly options?: { readonly max?: number | undefined };
}

export interface PostgresClient extends Queryable {
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
  /** With `true` or an error the connection is closed instead of being used again. */
  release(destroy?: boolean | Error): void;
  /** Whether its socket keeps the process alive. */
  ref?(): void;
  unref?(): void;
}

/** @throws {OptionError} when it is no pool, or one that the ledger's own session would exhaust. */
export function checkPool(pool: unknown): asserts pool is PostgresPool {
  const shape = pool as (Partial<PostgresPool> & { totalCount?: unknown }) | null | undefined;
  if (typeof shape?.connect !== 'function' || typeof shape.query !== 'function') {
    throw new OptionError(
      'pool',
      `Expected "pool" to be a pool of pg such as new Pool({ connectionString }), got ${describe(pool)}.`,
    );
  }
  // A Client has both methods as well; its connect() hands out nothing.
  if (shape.totalCount === undefined && 'connectionParameters' in shape) {
    throw new OptionError(
      'pool',
      'Expected "pool" to be a Pool of pg, got a single Client: a session that is lost could not be ' +
        'opened again. Use new Pool({ connectionString }).',
    );
  }
  if ((shape.options?.max ?? 10) < 2) {
    throw new OptionError(
      'pool',
      'Expected "pool" to have at least two connections (max: 2): the ledger keeps one of them as its ' +
        'lease while emails are being sent.',
    );
  }
}

/** The schema as SQL names it. @throws {OptionError} */
export function checkSchema(schema: unknown): string {
  if (typeof schema === 'string' && schema !== '' && Buffer.byteLength(schema) <= 63) {
    if (!schema.includes('\u0000') && !schema.startsWith('pg_'))
      return `"${schema.replaceAll('"', '""')}"`;
  }
  const got = typeof schema === 'string' ? JSON.stringify(schema) : describe(schema);
  throw new OptionError(
    'schema',
    `Expected "schema" to be a name of at most 63 bytes that does not begin with "pg_", got ${got}.`,
  );
}

/** The name that `checkSchema` has quoted. */
export function unquoted(schema: string): string {
  return schema.slice(1, -1).replaceAll('""', '"');
}
