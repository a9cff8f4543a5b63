import * as sql from './generated/migrations.ts';
import { type Refused, refused } from './errors.ts';
import { type Asked, checkPool, checkSchema, type PostgresPool, unquoted } from './pool.ts';
import { checkRights, explain } from './rights.ts';

const migrations: readonly string[] = Object.entries(sql)
  .toSorted(([one], [other]) => (one < other ? -1 : 1))
  .map(([, text]) => text);

/**
 * Creates the ledger's schema, or brings it to the version of this package: for a role that may do more
 * than the one that sends. Any number of processes may do it at once; one works, the others find it done.
 * @throws {OptionError} when it is newer than this package, or rights are missing.
 * @throws {LedgerUnavailableError}
 */
export async function migratePostgres(
  pool: PostgresPool,
  options: { readonly schema?: string } = {},
): Promise<void> {
  checkPool(pool);
  const schema = checkSchema(options.schema ?? 'sendonce');
  const client = await pool.connect().catch(async (error: unknown) => {
    throw await explain(error, pool, schema);
  });
  try {
    await migrate(client, schema, true);
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/**
 * Brings the schema to the version of this package, or (`allowed: false`) makes sure that it is there.
 * @param schema quoted
 */
export async function migrate(client: Asked, schema: string, allowed: boolean): Promise<void> {
  try {
    const version = await versionOf(client, schema);
    if (version > migrations.length) throw newer(schema, version);
    if (version < migrations.length) {
      if (!allowed) throw missing(schema, version);
      await migrateInTransaction(client, schema);
    }
    await checkRights(client, schema);
  } catch (error) {
    throw await explain(error, client, schema);
  }
}

async function migrateInTransaction(client: Asked, schema: string): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `sendonce ${schema}`,
    ]);
    // Asked again: another process may have migrated while this one waited.
    const version = await versionOf(client, schema);
    if (version > migrations.length) throw newer(schema, version);
    if (version === 0) await createSchema(client, schema);
    for (const [index, text] of migrations.entries()) {
      if (index < version) continue;
      await client.query(text.replaceAll(':schema', () => schema));
      await client.query(`INSERT INTO ${schema}.migrations (version) VALUES ($1)`, [index + 1]);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function createSchema(client: Asked, schema: string): Promise<void> {
  // IF NOT EXISTS asks for the right to create one even where it exists.
  const { rows } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [
    unquoted(schema),
  ]);
  if (rows.length === 0) await client.query(`CREATE SCHEMA ${schema}`);
  await client.query(
    `CREATE TABLE ${schema}.migrations (version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())`,
  );
}

/** 0 where nothing is there yet. */
async function versionOf(client: Asked, schema: string): Promise<number> {
  // Not by catching the error, which would end the transaction, and not by to_regclass(): it remembers
  // that nothing was there, while another process migrates.
  const there = await client.query(
    `SELECT FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
     WHERE nspname = $1 AND relname = 'migrations'`,
    [unquoted(schema)],
  );
  if (there.rows.length === 0) return 0;
  const { rows } = await client.query(`SELECT max(version) AS version FROM ${schema}.migrations`);
  return Number(rows[0]?.['version'] ?? 0);
}

function newer(schema: string, version: number): Refused {
  return refused('schema', {
    check: 'schema',
    found:
      `The schema ${schema} has version ${version}, and this @sendonce/postgres knows ` +
      `${migrations.length}: a newer release has migrated it.`,
    remedy:
      'Update the package here, or give this release a schema of its own (which then knows nothing of ' +
      'the emails in the other).',
  });
}

function missing(schema: string, version: number): Refused {
  return refused('schema', {
    check: 'schema',
    found:
      `The schema ${schema} ${version === 0 ? 'is not there yet' : `has version ${version} of ${migrations.length}`}, ` +
      'and "migrate" is false.',
    remedy: 'Run `await migratePostgres(pool, { schema })` once with a role that may create it.',
  });
}
