import {
  checkBoolean,
  checkNames,
  checkTimer,
  MINUTE_MS,
  type OptionNames,
} from '@sendonce/core/ledger';
import { checkSchema } from './pool.ts';

/** The options of {@link postgresLedger}. */
export interface PostgresLedgerOptions {
  /** The schema of the ledger's tables. Nothing else should live in it. @default 'sendonce' */
  readonly schema?: string | undefined;
  /**
   * Whether the first use creates or updates the schema; otherwise `migratePostgres()` must.
   * @default true
   */
  readonly migrate?: boolean | undefined;
  /** How often expired records are removed, in milliseconds. @default 60_000 */
  readonly intervalMs?: number | undefined;
  /**
   * After how many milliseconds without an answer a session is given up, and its claims with it.
   * @default 10_000
   */
  readonly answerWithinMs?: number | undefined;
}

export interface CheckedOptions {
  /** Quoted, as SQL names it. */
  readonly schema: string;
  readonly migrate: boolean;
  readonly intervalMs: number;
  readonly answerWithinMs: number;
}

const OPTION_NAMES: OptionNames<PostgresLedgerOptions> = {
  schema: true,
  migrate: true,
  intervalMs: true,
  answerWithinMs: true,
};

/** Checks all options and fills in the defaults. @throws {OptionError} */
export function checkOptions(options: PostgresLedgerOptions): CheckedOptions {
  checkNames('postgresLedger()', options, OPTION_NAMES);
  const {
    schema = 'sendonce',
    migrate = true,
    intervalMs = MINUTE_MS,
    answerWithinMs = 10_000,
  } = options;
  return {
    schema: checkSchema(schema),
    migrate: checkBoolean('migrate', migrate),
    intervalMs: checkTimer('intervalMs', intervalMs),
    answerWithinMs: checkTimer('answerWithinMs', answerWithinMs),
  };
}
