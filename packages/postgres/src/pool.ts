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
 * See {@link postgresLedger}.
 */
export interface PostgresPool extends Queryable {
  /** Takes a connection out of the pool. */
  connect(): Promise<PostgresClient>;
  /** How many connections the pool may have. A pool of one is refused. */
  readonly options?: { readonly max?: number | undefined } | undefined;
}

/** One connection of a {@link PostgresPool}: a `PoolClient` of pg 8. */
export interface PostgresClient extends Queryable {
  /** Listens for the end of the connection. */
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
  /** With `true` or an error the connection is closed instead of being used again. */
  release(destroy?: boolean | Error): void;
  /** Whether its socket keeps the process alive. */
  ref?(): void;
  /** The opposite of `ref`. */
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

/**
 * What a session or a transaction sets, so that no other role adds functions or operators to it.
 */
export const SAFE_PATH = 'search_path TO pg_catalog, pg_temp';

/** The schema as SQL names it. @throws {OptionError} */
export function checkSchema(schema: unknown): string {
  if (typeof schema === 'string' && isSchemaName(schema)) {
    return `"${schema.replaceAll('"', '""')}"`;
  }
  const got = typeof schema === 'string' ? JSON.stringify(schema) : describe(schema);
  throw new OptionError(
    'schema',
    'Expected "schema" to be the name of a schema of the ledger alone, such as "sendonce": at most ' +
      '63 bytes, without "$$", not "public" or "information_schema", and not beginning with "pg_". ' +
      `Got ${got}.`,
  );
}

function isSchemaName(name: string): boolean {
  // "$$" would end the text of a function. The others belong to the server or to all roles.
  return (
    name !== '' &&
    Buffer.byteLength(name) <= 63 &&
    !['\u0000', '$$'].some((part) => name.includes(part)) &&
    !name.startsWith('pg_') &&
    !['public', 'information_schema'].includes(name)
  );
}

/** The name that `checkSchema` has quoted. */
export function unquoted(schema: string): string {
  return schema.slice(1, -1).replaceAll('""', '"');
}
