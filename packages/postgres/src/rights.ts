import { type SetupError, setupError } from './errors.ts';
import { type Queryable, unquoted } from './pool.ts';

/** @throws {SetupError} when the role cannot write the records. */
export async function checkRights(queryable: Queryable, schema: string): Promise<void> {
  const { rows } = await queryable.query(
    `SELECT bool_and(has_table_privilege($1, privilege)) AS may
       FROM unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) privilege`,
    [`${schema}.records`],
  );
  if (rows[0]?.['may'] === true) return;
  const error = new Error('permission denied for table records');
  throw await missingRightsError(error, queryable, schema);
}

/** Names the GRANT that is missing, as statements to run. The schema is quoted. */
export async function missingRightsError(
  cause: unknown,
  queryable: Queryable,
  schema: string,
): Promise<SetupError> {
  const { rows } = await queryable
    .query(
      // On any connection of the pool, so it names each schema.
      `SELECT pg_catalog.quote_ident(current_user) AS role,
         pg_catalog.quote_ident(pg_catalog.current_database()) AS database,
         EXISTS (
           SELECT FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) $1
         ) AS there`,
      [unquoted(schema)],
    )
    .catch(() => ({ rows: [] }));
  const { role = 'your_role', database = 'your_database', there = true } = rows[0] ?? {};
  const reason = cause instanceof Error ? cause.message : String(cause);
  const advice =
    there === true
      ? `${grants(schema, String(role))} If the tables are not there yet: GRANT CREATE ON SCHEMA ` +
        `${schema} TO ${String(role)};`
      : `GRANT CREATE ON DATABASE ${String(database)} TO ${String(role)}; or let a role that may run ` +
        `\`await migratePostgres(pool)\`, and then: ${grants(schema, String(role))}`;
  return setupError('pool', {
    check: 'rights',
    found: `The role ${String(role)} may not do what the ledger needs (${reason}).`,
    remedy: `Run: ${advice}`,
  });
}

/** What a role needs that does not migrate. */
function grants(schema: string, role: string): string {
  return (
    `GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT, INSERT, UPDATE, DELETE ON ` +
    `${schema}.records TO ${role}; GRANT SELECT ON ${schema}.migrations, ${schema}.emails TO ${role}; ` +
    `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${schema} TO ${role};`
  );
}
