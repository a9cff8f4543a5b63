import { type Finding, LedgerUnavailableError, OptionError } from '@sendonce/core';

/** The SQLSTATE of an error, or undefined if the server did not answer. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Whether the server rejected only this statement, so that its session can be used further. */
export function isStatementError(error: unknown): boolean {
  // 08: connection. 57P: the server shuts down or an operator ended the session. SND01: the check
  // of `act` for a shared backend. 25006: a standby, and the next connection may find the primary.
  const code = sqlState(error);
  return code !== undefined && !/^(08|57P|SND01|25006)/.test(code);
}

/** The error for what an operator must change before an email can be sent here. */
export type SetupError = OptionError & { readonly finding: Finding };

export function setupError(option: string, about: Omit<Finding, 'severity'>): SetupError {
  const message = `${about.found} Nothing was sent by this call. ${about.remedy}`;
  // Not enumerable: the same words need not be printed twice.
  return Object.defineProperty(new OptionError(option, message), 'finding', {
    value: { severity: 'error', ...about } satisfies Finding,
  }) as SetupError;
}

/** The error for "no answer". Its cause keeps no row, which may hold the result of a processor. */
export function unavailableError(error: unknown): LedgerUnavailableError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const code = sqlState(error);
  const cause = Object.assign(new Error(message), { name, stack }, code && { code });
  return new LedgerUnavailableError(
    `PostgreSQL did not answer (${message}). Whether the statement was executed is unknown; it is safe ` +
      `to repeat. ${adviceFor(code)}`,
    cause,
    // In the words of pg-pool.
    { isClosed: message.includes('after calling end on the pool') },
  );
}

function adviceFor(code: string | undefined): string {
  switch (code) {
    case '25006':
      return 'This server is read-only, a hot standby: connect to the primary.';
    case '55P03':
      return (
        'Another session holds the record or the lock: look for it in pg_locks, and for a transaction ' +
        'that is idle in pg_stat_activity.'
      );
    case '42P01':
    case '42883':
    case '3F000':
    case 'SND02':
      return 'The schema of the ledger is gone or was changed: run migratePostgres(pool).';
    default:
      return 'Check the connection and that the server accepts writes.';
  }
}
