import { randomBytes } from 'node:crypto';
import { LedgerUnavailableError } from '@sendonce/core';
import { type Connection, openConnection } from './connection.ts';
import { isStatementError, sqlState } from './errors.ts';
import { type PostgresPool, type Queryable, type Row, SAFE_PATH } from './pool.ts';
import { refuseSharedBackend, sharedBackendError } from './pooler.ts';

/** The session of a ledger: its advisory lock is the lease of every claim made in it. */
export interface Session extends Queryable {
  /** The number of its lock: the process of its backend, and 32 random bits. */
  readonly lock: string;
  readonly pid: number;
}

export interface SessionKeeper {
  /** The session that is open, or a new one. */
  current(): Promise<Session>;
  /** Gives the connection back permanently, also while claims are held. */
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly pool: PostgresPool;
  /** Runs on each new connection before its lock is taken; throws what forbids its use. */
  readonly prepare: (connection: Queryable) => Promise<void>;
  /** After how many milliseconds without an answer a session is given up. */
  readonly answerWithinMs: number;
  /** A session that idles for so long is given back if the ledger holds nothing. */
  readonly idle: { readonly afterMs: number; readonly holdsNothing: () => boolean };
  /** The session was lost, and with it all that was claimed in it. */
  readonly onLost: () => void;
}

/** Keeps at most one session, opened when it is first needed and again after it was lost. */
export function keepSession(options: SessionOptions): SessionKeeper {
  let opened: Promise<Session> | undefined;
  let current: Connection | undefined;
  let isClosed = false;
  /** The lock of a session that was lost here. The server may still hold it. */
  let orphanedLock: string | undefined;
  let idleTimer: NodeJS.Timeout | undefined;

  async function open(): Promise<Session> {
    let ownLock: string | undefined;
    const connection: Connection = await openConnection(
      options.pool,
      options.answerWithinMs,
      (isLost) => {
        if (current === connection) opened = current = undefined;
        clearTimeout(idleTimer);
        if (!isLost || ownLock === undefined) return;
        orphanedLock = ownLock;
        options.onLost();
      },
    );
    current = connection;
    try {
      const pid = await refuseSharedBackend(connection, options.pool, options.answerWithinMs);
      await connection.query(`SET ${SAFE_PATH}`);
      await options.prepare(connection);
      const lock = await takeLock(connection, pid);
      if (orphanedLock !== undefined) {
        await connection.query(endOrphan, [orphanedLock]).catch(() => {});
      }
      orphanedLock = undefined;
      ownLock = lock;
      return { lock, pid, query: (text, values) => queryOn(connection, text, values) };
    } catch (error) {
      connection.end();
      throw error;
    }
  }

  async function queryOn(
    connection: Connection,
    text: string,
    values?: unknown[],
  ): Promise<{ rows: Row[] }> {
    clearTimeout(idleTimer);
    try {
      return await connection.query(text, values);
    } catch (error) {
      if (!isStatementError(error)) connection.discard(error as Error);
      throw sqlState(error) === 'SND01' ? sharedBackendError() : error;
    } finally {
      if (current === connection) waitForIdle(connection);
    }
  }

  function waitForIdle(connection: Connection): void {
    const { afterMs, holdsNothing } = options.idle;
    clearTimeout(idleTimer);
    idleTimer = setTimeout(() => {
      if (connection.isBusy()) return;
      if (holdsNothing()) connection.end();
      else waitForIdle(connection);
    }, afterMs).unref();
  }

  return {
    async current() {
      if (isClosed) {
        throw new LedgerUnavailableError('This ledger was closed.', undefined, { isClosed });
      }
      if (!opened) {
        const opening = open();
        opened = opening;
        opening.catch(() => {
          if (opened === opening) opened = undefined;
        });
      }
      return opened;
    },
    async close() {
      isClosed = true;
      clearTimeout(idleTimer);
      await opened?.catch(() => {});
      await current?.drained();
      current?.end();
    },
  };
}

async function takeLock(connection: Queryable, pid: number): Promise<string> {
  for (;;) {
    const lock = String((BigInt(pid) << 32n) | BigInt(randomBytes(4).readUInt32BE()));
    const { rows } = await connection.query(openLock, [lock]);
    // False if any program in this database happens to hold the same number.
    if (rows[0]?.['locked'] === true) return lock;
  }
}

// The settings are those of this session only. A host that vanished (no FIN) is noticed in 25 s and
// not in two hours; `durable` replies are flushed to disk even if `synchronous_commit` is off in
// the database.
const openLock = `
  SELECT pg_try_advisory_lock($1::bigint) AS locked,
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('lock_timeout', '2s', false),
    set_config('tcp_keepalives_idle', '10', false),
    set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false),
    CASE WHEN current_setting('synchronous_commit') = 'off'
      THEN set_config('synchronous_commit', 'on', false) END,
    CASE WHEN current_setting('server_version_num')::int >= 140000
      THEN set_config('idle_session_timeout', '0', false) END`;

// The connection may have failed on this side only, and the server keeps its lock until it notices.
const endOrphan = `
  SELECT pg_terminate_backend(pid) FROM pg_locks
  WHERE locktype = 'advisory' AND objsubid = 1 AND mode = 'ExclusiveLock' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32) | objid::bigint = $1::bigint`;
