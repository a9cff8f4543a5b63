import type { UnreadableRecordError } from '../errors.ts';
import type { Sources } from './find-emails.ts';
import type { HourCounts } from '../journal.ts';
import type { LedgerRecord } from '../record.ts';
import { listAtMost } from './list-at-most.ts';

/** What {@link overviewOf} returns. */
export interface Overview {
  /** How many emails are dispatched while their sender is alive. */
  readonly sending: number;
  /** The emails in doubt. Those without a sign of life for longest come first. */
  readonly inDoubt: readonly LedgerRecord[];
  /** Whether there are more open emails than were read. */
  readonly more: boolean;
  /** An open email whose record cannot be read; there may be more of them. */
  readonly unreadable: UnreadableRecordError | undefined;
  /** What happened in each hour. Undefined without a journal: the ledger does not count. */
  readonly hours: readonly HourCounts[] | undefined;
}

/**
 * The state of all emails in numbers: those that are open, and what happened in each hour. Its cost
 * does not grow with the number of sent emails.
 *
 * @throws {LedgerUnavailableError}
 *
 * @example const { sending, inDoubt } = await overviewOf({ ledger, journal }, { sinceMs });
 */
export async function overviewOf(
  { ledger, journal }: Sources,
  {
    sinceMs,
    max = 1000,
  }: {
    /** Where the hours begin, in milliseconds since 1970. */
    readonly sinceMs: number;
    /** How many open emails are read at most. @default 1000 */
    readonly max?: number | undefined;
  },
): Promise<Overview> {
  const counted = journal?.counts(sinceMs);
  // Its rejection is handled where it is awaited; without this, Node would warn before that.
  counted?.catch(() => {});
  const { records, more, unreadable } = await listAtMost(ledger, 'open', max);
  const inDoubt = records.filter(({ state }) => state === 'in-doubt');
  const sending = records.length - inDoubt.length;
  return { sending, inDoubt, more, unreadable, hours: await counted };
}
