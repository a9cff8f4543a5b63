import { type Finding, LedgerUnavailableError, OptionError } from '@sendonce/core';

/** What the server calls an error (SQLSTATE), or undefined where it did not answer. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Whether the server answered "no" to this statement, and its session can go on. */
export function isRefusal(error: unknown): boolean {
  // 08: connection, 57P: the server shuts down or somebody ended the session, SND01: our own check, 25006:
  // a standby, where the next connection may find the primary.
  const code = codeOf(error);
  return code !== undefined && !/^(08|57P|SND|25006)/.test(code);
}

/** The error for what an operator must change before any email can be sent here. */
export type Refused = OptionError & { readonly finding: Finding };

export function refused(option: string, about: Omit<Finding, 'severity'>): Refused {
  const message = `${about.found} Nothing was sent. ${about.remedy}`;
  // Not enumerable: the same words need not be printed twice.
  return Object.defineProperty(new OptionError(option, message), 'finding', {
    value: { severity: 'error', ...about } satisfies Finding,
  }) as Refused;
}

/** Says "no answer". The cause keeps no row: it may hold the result of a processor. */
export function unavailable(error: unknown): LedgerUnavailableError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const code = codeOf(error);
  const cause = Object.assign(new Error(message), { name, stack }, code && { code });
  return new LedgerUnavailableError(
    `PostgreSQL did not answer (${message}). Whether the statement was executed is unknown; it is safe ` +
      `to repeat. ${adviceFor(code)}`,
    cause,
  );
}

function adviceFor(code: string | undefined): string {
  switch (code) {
    case '25006':
      return 'This server is read-only, a hot standby: connect to the primary.';
    case '55P03':
      return 'Another transaction holds the record: look for one that is idle in pg_stat_activity.';
    case '42P01':
    case '42883':
    case '3F000':
      return 'The schema of the ledger is gone or was changed: run migratePostgres(pool).';
    default:
      return 'Check the connection and that the server accepts writes.';
  }
}
