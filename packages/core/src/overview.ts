import { isSendonceError, type UnreadableRecordError } from './errors.ts';
import type { Sources } from './find-emails.ts';
import type { HourCounts } from './journal.ts';
import type { LedgerRecord } from './ledger.ts';

export interface Overview {
  /** Past dispatch, and their sender is alive. */
  readonly sending: number;
  /** Nobody knows whether they left; those that are silent for longest first. */
  readonly inDoubt: readonly LedgerRecord[];
  /** There are more than `most` open ones: these were looked at. */
  readonly more: boolean;
  /** An open email whose record another program or a newer version wrote; there may be more of them. */
  readonly unreadable: UnreadableRecordError | undefined;
  /** Undefined without a journal: the ledger does not count. */
  readonly hours: readonly HourCounts[] | undefined;
}

/**
 * What there is to see at a glance. Asks for the open emails only, and for counts of hours: what it costs does not
 * grow with the number of emails that were sent.
 * @throws {LedgerUnavailableError}
 */
export async function overviewOf(
  { ledger, journal }: Sources,
  { sinceMs, most = 1000 }: { readonly sinceMs: number; readonly most?: number },
): Promise<Overview> {
  const counted = journal?.counts(sinceMs);
  // Handled where it is awaited.
  counted?.catch(() => {});
  const inDoubt: LedgerRecord[] = [];
  let [sending, looked] = [0, 0];
  let unreadable: UnreadableRecordError | undefined;
  try {
    for await (const record of ledger.list({ state: 'open' })) {
      if (looked++ === most) break;
      if (record.state === 'in-doubt') inDoubt.push(record);
      else sending += 1;
    }
  } catch (error) {
    // It comes after all the others, which it must not hide.
    if (!isSendonceError(error, 'SENDONCE_UNREADABLE_RECORD')) throw error;
    unreadable = error as UnreadableRecordError;
  }
  return { sending, inDoubt, more: looked > most, unreadable, hours: await counted };
}
