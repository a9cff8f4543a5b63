import { OptionError } from '@sendonce/core';
import { describe } from '@sendonce/core/ledger';
import type { Queryable, Row } from './pool.ts';

/**
 * What BullMQ asks of a pool, answered by one connection.
 * See {@link transactionPool}.
 */
export interface TransactionPool {
  // Its other members are those of a pool's configuration to BullMQ's types.
  readonly [name: string]: unknown;
  /** Runs one statement of BullMQ in the transaction. */
  query(text: string, values?: readonly unknown[]): Promise<{ rows: Row[] }>;
  /** Gives the same connection. */
  connect(): Promise<TransactionPool & { release(): void }>;
  /** Does nothing: the connection stays yours. */
  end(): Promise<void>;
  /** Does nothing: listen on your own connection. */
  on(event: string, listener: (...values: unknown[]) => void): TransactionPool;
  /** Does nothing. */
  removeListener(event: string, listener: (...values: unknown[]) => void): TransactionPool;
  /** Does nothing. */
  removeAllListeners(): TransactionPool;
}

/**
 * A "pool" of the one connection whose transaction is open, for a queue of BullMQ on PostgreSQL:
 * what is scheduled on that queue is committed or rolled back together with the order that it is
 * about, so there is neither a notice without its order nor an order without its notice (an
 * outbox).
 *
 * The answer `scheduled` holds once the transaction is committed. The transaction, the connection
 * and its `search_path` stay the caller's. For producers only: a worker needs a pool. BullMQ must
 * live in its default schema, `bullmq`: with a pool of the caller's it knows no other.
 * @throws {OptionError} for what is no connection.
 *
 * @example
 * await client.query('BEGIN');
 * await client.query('INSERT INTO orders …');
 * // In withBackend(createPostgresBackend, …):
 * const queue = new Queue('notices', { connection: transactionPool(client) });
 * await delayedEmails(queue, options).schedule(notice, { at });
 * await client.query('COMMIT');
 */
export function transactionPool(client: Queryable): TransactionPool {
  if (typeof client?.query !== 'function' || 'totalCount' in client) {
    throw new OptionError(
      'client',
      'Expected "client" to be one connection with an open transaction, such as await pool.connect(), got ' +
        `${'totalCount' in (client ?? {}) ? 'a pool' : describe(client)}.`,
    );
  }
  let last: Promise<unknown> = Promise.resolve();

  async function ask(text: string, values: readonly unknown[] = []): Promise<{ rows: Row[] }> {
    // BullMQ's SQL names no schema. The caller's own statements keep theirs.
    const { rows } = await client.query("SELECT pg_catalog.current_setting('search_path') AS path");
    await client.query("SELECT pg_catalog.set_config('search_path', 'bullmq', true)");
    const answer = await client.query(text, [...values]);
    // After an error there is nothing to restore: the transaction can only be rolled back.
    await client.query("SELECT pg_catalog.set_config('search_path', $1, true)", [
      rows[0]?.['path'],
    ]);
    return answer;
  }
  const pool: TransactionPool = {
    query(text, values) {
      // One after the other, each with its own search_path.
      const answer = last.then(() => ask(text, values));
      last = answer.catch(() => {});
      return answer;
    },
    connect: async () => ({ ...pool, release() {} }),
    async end() {},
    on: () => pool,
    removeListener: () => pool,
    removeAllListeners: () => pool,
  };
  return pool;
}
