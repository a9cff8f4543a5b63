import { type Connection, openConnection } from './connection.ts';
import { type SetupError, setupError } from './errors.ts';
import type { PostgresPool, Queryable } from './pool.ts';

/**
 * Makes sure that one connection is one session of the server, as the lease is a lock of that
 * session.
 *
 * On a direct connection, the server names the backend when it is opened, and that one answers.
 * Behind a pooler the names differ, and a second check follows: while another connection holds a
 * backend in a transaction, the first one must keep its own. In transaction mode both get the same
 * backend, or that of the first one changes.
 * @throws {OptionError} when backends are shared.
 */
export async function refuseSharedBackend(
  connection: Connection,
  pool: PostgresPool,
  answerWithinMs: number,
): Promise<number> {
  const pid = await backendOf(connection);
  if (connection.processID === pid) return pid;

  const others: Connection[] = [];
  try {
    // Each takes one backend away, so that a pooler that gives them out in turns has no others
    // left.
    for (let count = 0; count < ROUNDS; count++) {
      const other = await openConnection(pool, answerWithinMs, () => {});
      others.push(other);
      await other.query('BEGIN');
      if ((await backendOf(other)) === pid || (await backendOf(connection)) !== pid)
        throw sharedBackendError();
      if ((pool.options?.max ?? 10) <= others.length + 1) break;
    }
  } catch (error) {
    // PgBouncer allows no BEGIN in statement mode.
    throw /pooling mode/.test(String(error)) ? sharedBackendError() : error;
  } finally {
    for (const other of others) other.end();
  }
  return pid;
}

const ROUNDS = 3;

async function backendOf(queryable: Queryable): Promise<number> {
  const { rows } = await queryable.query('SELECT pg_catalog.pg_backend_pid() AS pid');
  return Number(rows[0]?.['pid']);
}

export function sharedBackendError(): SetupError {
  return setupError('pool', {
    check: 'pooler',
    found:
      'This connection goes through a pooler that shares sessions (PgBouncer with pool_mode = transaction ' +
      'or statement, or the like). The lease of an email is an advisory lock of the session: there it ' +
      'would belong to the next client of that backend, and would outlive the worker that died.',
    remedy:
      'Connect to PostgreSQL directly, or through a pooler in session mode (at hosting providers: the ' +
      'port or host that is called "direct" or "session").',
  });
}
