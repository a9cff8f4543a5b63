import { parseArgs } from 'node:util';

export interface Arguments {
  /** Which report: its day, as YYYY-MM-DD. */
  readonly day: string;
  /** How long to wait for another machine that is sending it. */
  readonly waitMs: number;
  /** What a person found out about an email in doubt. */
  readonly resolve: 'sent' | 'not-sent' | undefined;
  readonly json: boolean;
}

/** A command line that cannot be understood; the message says what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `daily-report [--day YYYY-MM-DD] [--wait <seconds>] [--resolve sent|not-sent] [--json]

Environment: REDIS_URL, SMTP_URL, REPORT_TO, and PREFIX (what all keys begin with).
Exit code: 0 sent, duplicate or cancelled; 1 not sent, run it again; 2 wrong command line;
3 in doubt, find out and --resolve it; 4 rejected; 75 busy.
`;

/** @throws {UsageError} */
export function parseArguments(argv: readonly string[]): Arguments {
  const { day, wait, resolve, json } = parse(argv);
  if (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(Date.parse(day))) {
    throw new UsageError(`Expected --day to be a day such as 2026-01-31, got "${day}".`);
  }
  if (!/^\d+$/.test(wait)) {
    throw new UsageError(`Expected --wait to be a whole number of seconds, got "${wait}".`);
  }
  if (resolve !== undefined && resolve !== 'sent' && resolve !== 'not-sent') {
    throw new UsageError(`Expected --resolve to be "sent" or "not-sent", got "${resolve}".`);
  }
  return { day, waitMs: Number(wait) * 1000, resolve, json };
}

function parse(argv: readonly string[]) {
  // UTC, and not the machine's own day: two machines must mean the same report.
  const today = new Date().toISOString().slice(0, 10);
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        day: { type: 'string', default: today },
        // Longer than two leases: a machine that died is either replaced or in doubt by then.
        wait: { type: 'string', default: '90' },
        resolve: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
