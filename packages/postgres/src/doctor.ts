import { type Finding, isSendonceError } from '@sendonce/core';
import { JOBS_WAIT, withoutErrorPage } from '@sendonce/core/ledger';
import type { SetupError } from './errors.ts';
import type { LedgerSession } from './ledger-session.ts';
import type { Row } from './pool.ts';

/** Checks what the promise of the ledger rests on, in the ledger's own session. */
export async function examinePostgres({
  query,
  schema,
}: Pick<LedgerSession, 'query' | 'schema'>): Promise<readonly Finding[]> {
  const requestedAtMs = Date.now();
  let row: Row | undefined;
  try {
    [row] = await query(question, () => [`${schema}.records`]);
  } catch (error) {
    if (!isSendonceError(error)) throw error;
    return [
      (error as Partial<SetupError>).finding ?? notAnswering(withoutErrorPage(error.message)),
    ];
  }
  return row ? examine(row, requestedAtMs) : [];
}

const question = `
  SELECT current_setting('server_version_num')::int AS version,
    pg_is_in_recovery() AS standby,
    current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS full_page_writes,
    (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit') AS synchronous_commit,
    current_setting('synchronous_standby_names') AS synchronous_standbys,
    EXISTS (SELECT FROM pg_stat_replication) AS replicated,
    current_setting('server_encoding') AS encoding,
    (SELECT relpersistence FROM pg_class WHERE oid = to_regclass($1)) AS persistence,
    extract(epoch FROM clock_timestamp()) * 1000 AS now_ms`;

function examine(row: Row, requestedAtMs: number): Finding[] {
  return [
    ...when(Number(row['version']) < 130_000, {
      severity: 'error',
      check: 'version',
      found: `This is PostgreSQL ${Math.floor(Number(row['version']) / 10_000)}, on which the ledger is not tested.`,
      remedy: 'Use PostgreSQL 13 or later.',
    }),
    ...when(row['standby'] === true, {
      severity: 'error',
      check: 'standby',
      found: 'This server is a hot standby: it takes no records.',
      remedy: 'Connect to the primary (target_session_attrs, or its address).',
    }),
    ...['fsync', 'full_page_writes'].flatMap((name) =>
      when(row[name] === 'off', {
        severity: 'warning',
        check: name,
        found: `${name} is off: a crash of the machine may damage the records of emails that were sent.`,
        remedy: `Set ${name} = on in postgresql.conf.`,
      }),
    ),
    ...when(row['persistence'] === 'u', {
      severity: 'warning',
      check: 'unlogged',
      found: 'The table of the records is unlogged: a crash of the server empties it.',
      remedy: `Run ALTER TABLE … SET LOGGED.`,
    }),
    ...when(row['encoding'] !== 'UTF8', {
      severity: 'warning',
      check: 'encoding',
      found: `The encoding of the database is ${String(row['encoding'])}: a result with other characters cannot be recorded.`,
      remedy: 'Use a database with the encoding UTF8.',
    }),
    ...when(row['synchronous_commit'] === 'off', {
      severity: 'info',
      check: 'synchronous_commit',
      found:
        'synchronous_commit is off here; the ledger sets it on for what it promises, and nothing of it is lost.',
      remedy: '',
    }),
    ...when(row['replicated'] === true && row['synchronous_standbys'] === '', {
      severity: 'info',
      check: 'replicas',
      found:
        'There are replicas, and none is synchronous: a failover forgets what they had not received.',
      remedy: 'Set synchronous_standby_names, so that each dispatch waits for one of them.',
    }),
    ...examineClock(Number(row['now_ms']) - requestedAtMs),
  ];
}

function examineClock(aheadMs: number): Finding[] {
  return when(Math.abs(aheadMs) >= 2_000, {
    severity: 'info',
    check: 'clock',
    found: `The clock of the server differs from this one by ${Math.round(aheadMs / 1000)} s; records carry its time.`,
    remedy: 'Claims do not depend on it; set both by NTP so that logs agree.',
  });
}

function notAnswering(message: string): Finding {
  return {
    severity: 'error',
    check: 'connection',
    found: message,
    remedy: `Look at the server, its log, and the options of the pool. ${JOBS_WAIT}`,
  };
}

function when(condition: boolean, finding: Finding): Finding[] {
  return condition ? [finding] : [];
}
