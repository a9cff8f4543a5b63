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
  /** Undefined without a journal: the ledger does not count. */
  readonly hours: readonly HourCounts[] | undefined;
}

/**
 * What there is to see at a glance. Asks for the open emails only, and for counts of hours: what it costs does not
 * grow with the number of emails that were sent.
 * @throws {LedgerUnavailableError} @throws {UnreadableRecordError}
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
  for await (const record of ledger.list({ state: 'open' })) {
    if (looked++ === most) break;
    if (record.state === 'in-doubt') inDoubt.push(record);
    else sending += 1;
  }
  return { sending, inDoubt, more: looked > most, hours: await counted };
}
