import { OptionError } from '@sendonce/core';
import { checkDuration, describe } from '@sendonce/core/ledger';
import { checkSchema } from './pool.ts';

export interface PostgresLedgerOptions {
  /** The schema of the ledger's tables. Nothing else should live in it. @default 'sendonce' */
  readonly schema?: string;
  /** Whether the first use creates or updates the schema; otherwise `migratePostgres()` must. @default true */
  readonly migrate?: boolean;
  /** How often expired records are removed, in milliseconds. @default 60_000 */
  readonly sweepEveryMs?: number;
  /**
   * A session that does not answer for so long is given up, in milliseconds, and its claims with it.
   * @default 10_000
   */
  readonly answerWithinMs?: number;
}

/** All options, checked; the schema quoted. @throws {OptionError} */
export function checkOptions(options: PostgresLedgerOptions): Required<PostgresLedgerOptions> {
  if (typeof options !== 'object' || !options) {
    throw new OptionError(
      'options',
      `Expected "options" to be an object, got ${describe(options)}.`,
    );
  }
  const {
    schema = 'sendonce',
    migrate = true,
    sweepEveryMs = 60_000,
    answerWithinMs = 10_000,
    ...others
  } = options;
  for (const name of Object.keys(others)) {
    throw new OptionError(
      name,
      `Unknown option "${name}": expected schema, migrate, sweepEveryMs or answerWithinMs.`,
    );
  }
  if (typeof migrate !== 'boolean') {
    throw new OptionError(
      'migrate',
      `Expected "migrate" to be true or false, got ${describe(migrate)}.`,
    );
  }
  return {
    schema: checkSchema(schema),
    migrate,
    sweepEveryMs: checkTimer('sweepEveryMs', sweepEveryMs),
    answerWithinMs: checkTimer('answerWithinMs', answerWithinMs),
  };
}

/** Longer than 24 days a timer of Node would fire at once. */
function checkTimer(option: string, value: unknown): number {
  if (checkDuration(option, value) <= 2 ** 30) return value as number;
  throw new OptionError(
    option,
    `Expected "${option}" to be at most ${2 ** 30} (12 days), got ${describe(value)}.`,
  );
}
