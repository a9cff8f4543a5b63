import { randomBytes } from 'node:crypto';
import { LedgerUnavailableError } from '@sendonce/core';
import { type Connection, openConnection } from './connection.ts';
import { isRefusal } from './errors.ts';
import type { Asked, PostgresPool, Row } from './pool.ts';
import { refuseSharedBackend, shared } from './pooler.ts';

/** The session of a ledger: its advisory lock is the lease of every claim made in it. */
export interface Session {
  /** The number of its lock: 63 random bits. */
  readonly lock: string;
  readonly pid: number;
  query(text: string, values?: unknown[]): Promise<Row[]>;
}

export interface SessionKeeper {
  /** The session that is open, or a new one. */
  current(): Promise<Session>;
  /** Gives the connection back, whatever is held, for good. */
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly pool: PostgresPool;
  /** Runs on each new connection before its lock is taken; throws what forbids its use. */
  readonly prepare: (connection: Asked) => Promise<void>;
  /** A session that does not answer for so long is given up. */
  readonly answerWithinMs: number;
  /** Whether the ledger holds nothing, so that a session that idles for so long is given back. */
  readonly idle: { readonly afterMs: number; readonly holdsNothing: () => boolean };
  /** The session ended by itself: all that was claimed in it is lost. */
  readonly onLost: () => void;
}

/** Keeps at most one session, opened when it is first needed and again after it was lost. */
export function keepSession(options: SessionOptions): SessionKeeper {
  let opened: Promise<Session> | undefined;
  let connection: Connection | undefined;
  let closed = false;
  /** The lock of a session that was lost here; the server may not know yet that it is over. */
  let orphan: string | undefined;
  let idleTimer: NodeJS.Timeout | undefined;

  async function open(): Promise<Session> {
    let lock: string | undefined;
    const made: Connection = await openConnection(options.pool, options.answerWithinMs, (lost) => {
      if (connection === made) opened = connection = undefined;
      clearTimeout(idleTimer);
      if (!lost || lock === undefined) return;
      orphan = lock;
      options.onLost();
    });
    connection = made;
    try {
      const pid = await refuseSharedBackend(made, options.pool, options.answerWithinMs);
      await options.prepare(made);
      const taken = await takeLock(made);
      if (orphan !== undefined) await made.query(endOrphan, [orphan]).catch(() => {});
      orphan = undefined;
      lock = taken;
      return { lock, pid, query: (text, values) => ask(made, text, values) };
    } catch (error) {
      made.end();
      throw error;
    }
  }

  async function ask(made: Connection, text: string, values?: unknown[]): Promise<Row[]> {
    clearTimeout(idleTimer);
    try {
      return (await made.query(text, values)).rows;
    } catch (error) {
      if (!isRefusal(error)) made.lose(error as Error);
      throw (error as { code?: unknown }).code === 'SND01' ? shared() : error;
    } finally {
      if (connection === made) waitForIdle(made);
    }
  }

  function waitForIdle(made: Connection): void {
    const { afterMs, holdsNothing } = options.idle;
    clearTimeout(idleTimer);
    idleTimer = setTimeout(() => {
      if (made.busy()) return;
      if (holdsNothing()) made.end();
      else waitForIdle(made);
    }, afterMs).unref();
  }

  return {
    async current() {
      if (closed) throw new LedgerUnavailableError('This ledger was closed.');
      if (!opened) {
        const attempt = open();
        opened = attempt;
        attempt.catch(() => {
          if (opened === attempt) opened = undefined;
        });
      }
      return opened;
    },
    async close() {
      closed = true;
      clearTimeout(idleTimer);
      await opened?.catch(() => {});
      await connection?.settled();
      connection?.end();
    },
  };
}

async function takeLock(connection: Asked): Promise<string> {
  for (;;) {
    const lock = BigInt.asUintN(63, randomBytes(8).readBigUInt64BE()).toString();
    const { rows } = await connection.query(openLock, [lock]);
    // False where any program in this database happens to hold the same number.
    if (rows[0]?.['locked'] === true) return lock;
  }
}

// The settings are those of this session only. A host that vanished (no FIN) is noticed in 25 s and not in
// two hours; `durable` answers are flushed to disk whatever the default of the database is.
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

// A connection that broke on our side only: the server would keep its lock until it notices.
const endOrphan = `
  SELECT pg_terminate_backend(pid) FROM pg_locks
  WHERE locktype = 'advisory' AND objsubid = 1 AND mode = 'ExclusiveLock' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32) | objid::bigint = $1::bigint`;
