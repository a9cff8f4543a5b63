import { toLedgerError } from './ledger-error.ts';
import {
  checkPool,
  checkSchema,
  type PostgresPool,
  type Queryable,
  SAFE_PATH,
  unquoted,
} from './pool.ts';
import { checkRights } from './rights.ts';
import { migrations, newerSchemaError, olderSchemaError, readVersion } from './schema-version.ts';

/**
 * Creates the ledger's schema, or brings it to the version of this package: for a role that may do
 * more than the one that sends. Any number of processes may do it at once; one works, the others
 * find it done.
 * @throws {OptionError} when it is newer than this package, or rights are missing.
 * @throws {LedgerUnavailableError}
 *
 * @example await migratePostgres(new Pool({ connectionString: process.env.ADMIN_URL }));
 */
export async function migratePostgres(
  pool: PostgresPool,
  options: { readonly schema?: string | undefined } = {},
): Promise<void> {
  checkPool(pool);
  const schema = checkSchema(options.schema ?? 'sendonce');
  const client = await pool.connect().catch(async (error: unknown) => {
    throw await toLedgerError(error, pool, schema);
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
 * Brings the schema to the version of this package, or (`allowed: false`) makes sure that it has
 * it.
 * @param schema quoted
 */
export async function migrate(client: Queryable, schema: string, allowed: boolean): Promise<void> {
  try {
    await inTransaction(client, async () => {
      const version = await readVersion(client, schema);
      if (version > migrations.length) throw newerSchemaError(schema, version);
      if (version < migrations.length) {
        if (!allowed) throw olderSchemaError(schema, version);
        await runMigrations(client, schema);
      }
      await checkRights(client, schema);
    });
  } catch (error) {
    throw await toLedgerError(error, client, schema);
  }
}

/**
 * Functions and operators of other roles are not on the path: they would run with the rights of the
 * role that migrates. Nor can another role make it wait for ever by holding a lock.
 */
async function inTransaction(client: Queryable, work: () => Promise<void>): Promise<void> {
  await client.query(`BEGIN; SET LOCAL ${SAFE_PATH}; SET LOCAL lock_timeout TO '10s'`);
  try {
    await work();
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function runMigrations(client: Queryable, schema: string): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0::bigint))', [
    `sendonce ${schema}`,
  ]);
  // Read again: another process may have migrated while this one waited.
  const version = await readVersion(client, schema);
  if (version > migrations.length) throw newerSchemaError(schema, version);
  if (version === 0) await createSchema(client, schema);
  for (const [index, text] of migrations.entries()) {
    if (index < version) continue;
    await client.query(text.replaceAll(':schema', () => schema));
    await client.query(`INSERT INTO ${schema}.migrations (version) VALUES ($1)`, [index + 1]);
  }
}

async function createSchema(client: Queryable, schema: string): Promise<void> {
  // IF NOT EXISTS asks for the right to create one even if it exists.
  const { rows } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [
    unquoted(schema),
  ]);
  if (rows.length === 0) await client.query(`CREATE SCHEMA ${schema}`);
  await client.query(
    `CREATE TABLE ${schema}.migrations (version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())`,
  );
}
