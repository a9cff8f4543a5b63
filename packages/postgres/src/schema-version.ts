import { type SetupError, setupError } from './errors.ts';
import * as sql from './generated/migrations.ts';
import { type Queryable, unquoted } from './pool.ts';

/** The statements that bring a schema from each version to the next one. */
export const migrations: readonly string[] = Object.entries(sql)
  .toSorted(([one], [other]) => (one < other ? -1 : 1))
  .map(([, text]) => text);

/** The version of a schema: how many migrations it has had. 0 if it does not exist yet. */
export async function readVersion(queryable: Queryable, schema: string): Promise<number> {
  // Catching the error of a missing table would end the transaction, and to_regclass() remembers
  // that there was none while another process migrates. The question may come on any connection of
  // the pool, so it names each schema.
  const there = await queryable.query(
    `SELECT FROM pg_catalog.pg_class
     JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) relnamespace
     WHERE nspname OPERATOR(pg_catalog.=) $1 AND relname OPERATOR(pg_catalog.=) 'migrations'`,
    [unquoted(schema)],
  );
  if (there.rows.length === 0) return 0;
  const { rows } = await queryable.query(
    `SELECT pg_catalog.max(version) AS version FROM ${schema}.migrations`,
  );
  return Number(rows[0]?.['version'] ?? 0);
}

/**
 * The error for a schema of another release. Undefined if it is of this one, gone, or not readable.
 */
export async function otherVersionError(
  queryable: Queryable,
  schema: string,
): Promise<SetupError | undefined> {
  const version = await readVersion(queryable, schema).catch(() => 0);
  if (version === 0 || version === migrations.length) return undefined;
  return version > migrations.length
    ? newerSchemaError(schema, version)
    : olderSchemaError(schema, version);
}

export function newerSchemaError(schema: string, version: number): SetupError {
  return setupError('schema', {
    check: 'schema',
    found:
      `The schema ${schema} has version ${version}, and this @sendonce/postgres knows ` +
      `${migrations.length}: a newer release has migrated it.`,
    remedy:
      'Update the package here, or give this release another schema (which does not know the emails of ' +
      'this one).',
  });
}

export function olderSchemaError(schema: string, version: number): SetupError {
  return setupError('schema', {
    check: 'schema',
    found:
      version === 0
        ? `The schema ${schema} is not there yet, and "migrate" is false.`
        : `The schema ${schema} has version ${version}, and this @sendonce/postgres needs ` +
          `${migrations.length}: it was not migrated, or an older backup was restored.`,
    remedy: 'Run `await migratePostgres(pool, { schema })` once with a role that may create it.',
  });
}
