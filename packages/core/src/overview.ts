import type { UnreadableRecordError } from './errors.ts';
import type { Sources } from './find-emails.ts';
import type { HourCounts } from './journal.ts';
import type { LedgerRecord } from './ledger.ts';
import { listAtMost } from './store.ts';

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
  const { records, more, unreadable } = await listAtMost(ledger, 'open', most);
  const inDoubt = records.filter(({ state }) => state === 'in-doubt');
  const sending = records.length - inDoubt.length;
  return { sending, inDoubt, more, unreadable, hours: await counted };
}
