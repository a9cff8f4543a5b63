import { isSendonceError, type UnreadableRecordError } from '../errors.ts';
import type { Ledger } from '../ledger.ts';
import type { LedgerRecord } from '../record.ts';

/** What {@link listAtMost} returns. */
export interface Listed {
  /** Those without a sign of life for longest come first. */
  readonly records: readonly LedgerRecord[];
  /** Whether there are more than `max`. */
  readonly more: boolean;
  /** Set if a record cannot be read. It hides none of the others. */
  readonly unreadable: UnreadableRecordError | undefined;
}

/**
 * Lists at most `max` open or doubtful emails of a ledger. @throws {LedgerUnavailableError}
 *
 * @example const { records, more } = await listAtMost(ledger, 'in-doubt', 100);
 */
export async function listAtMost(
  ledger: Pick<Ledger, 'list'>,
  state: 'open' | 'in-doubt',
  max = Infinity,
): Promise<Listed> {
  const records: LedgerRecord[] = [];
  try {
    for await (const record of ledger.list({ state })) {
      if (records.length === max) return { records, more: true, unreadable: undefined };
      records.push(record);
    }
  } catch (error) {
    if (!isSendonceError(error, 'SENDONCE_UNREADABLE_RECORD')) throw error;
    return { records, more: false, unreadable: error };
  }
  return { records, more: false, unreadable: undefined };
}
