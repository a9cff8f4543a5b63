import { isSendonceError, type UnreadableRecordError } from '../errors.ts';
import type { Ledger } from '../ledger.ts';
import type { LedgerRecord } from '../record.ts';

/** Some listed records; those without a sign of life for longest come first. */
export interface Listed {
  readonly records: readonly LedgerRecord[];
  /** There are more than `max`. */
  readonly more: boolean;
  /** A record that cannot be read. */
  readonly unreadable: UnreadableRecordError | undefined;
}

/** What a ledger lists, at most `max` records. @throws {LedgerUnavailableError} */
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
