import type { UnreadableRecordError } from '../errors.ts';
import type { Sources } from './find-emails.ts';
import type { HourCounts } from '../journal.ts';
import type { LedgerRecord } from '../record.ts';
import { listAtMost } from './list-at-most.ts';

export interface Overview {
  /** Past dispatch, and their sender is alive. */
  readonly sending: number;
  /** It is unknown whether they were sent. Those without a sign of life for longest come first. */
  readonly inDoubt: readonly LedgerRecord[];
  /** There are more than `max` open ones: these were read. */
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
  { sinceMs, max = 1000 }: { readonly sinceMs: number; readonly max?: number },
): Promise<Overview> {
  const counted = journal?.counts(sinceMs);
  // Its rejection is handled where it is awaited; without this, Node would warn before that.
  counted?.catch(() => {});
  const { records, more, unreadable } = await listAtMost(ledger, 'open', max);
  const inDoubt = records.filter(({ state }) => state === 'in-doubt');
  const sending = records.length - inDoubt.length;
  return { sending, inDoubt, more, unreadable, hours: await counted };
}
