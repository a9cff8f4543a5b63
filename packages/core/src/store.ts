/** What every store that implements the ledger does alike; exported for those who write one. */
import { isSendonceError, type UnreadableRecordError } from './errors.ts';
import type { Attempt, Ledger, LedgerRecord, Loss } from './ledger.ts';

/**
 * Why an attempt lost against the record that stands there; the order is part of the contract of
 * `claim`. `standsForMs`: how long the record's lease or mark lasts, at most; of one in doubt how long
 * ago it was dispatched, negated.
 */
export function lossAgainst(
  record: LedgerRecord,
  { fingerprint }: Pick<Attempt, 'fingerprint'>,
  standsForMs: number,
): Loss {
  if (record.state === 'cancelled') return { state: 'cancelled', record };
  const comparable = record.fingerprint !== undefined && fingerprint !== undefined;
  if (comparable && record.fingerprint !== fingerprint) return { state: 'conflict', record };
  switch (record.state) {
    case 'in-doubt':
      return { state: 'in-doubt', record, dispatchedAgoMs: Math.max(0, -standsForMs) };
    case 'sent':
    case 'rejected':
      return { state: 'duplicate', record };
    case 'claimed':
    case 'dispatched':
      return { state: 'busy', record, retryAfterMs: Math.max(0, standsForMs) };
  }
}

/** Whether `list` shows a record that stands now. */
export function isListed(
  record: LedgerRecord | undefined,
  state: 'open' | 'in-doubt',
): record is LedgerRecord {
  return record?.state === 'in-doubt' || (state === 'open' && record?.state === 'dispatched');
}

/** Some listed records, those that are silent for longest first. */
export interface Listed {
  readonly records: readonly LedgerRecord[];
  /** There are more than `most`. */
  readonly more: boolean;
  /** One that cannot be read: it comes after all the others, which it must not hide. */
  readonly unreadable: UnreadableRecordError | undefined;
}

/** What a ledger lists, at most so many of them. @throws {LedgerUnavailableError} */
export async function listAtMost(
  ledger: Pick<Ledger, 'list'>,
  state: 'open' | 'in-doubt',
  most = Infinity,
): Promise<Listed> {
  const records: LedgerRecord[] = [];
  try {
    for await (const record of ledger.list({ state })) {
      if (records.length === most) return { records, more: true, unreadable: undefined };
      records.push(record);
    }
  } catch (error) {
    if (!isSendonceError(error, 'SENDONCE_UNREADABLE_RECORD')) throw error;
    return { records, more: false, unreadable: error as UnreadableRecordError };
  }
  return { records, more: false, unreadable: undefined };
}

const PAGE = 250;

/**
 * The body of `list`: reads the records of an index in pages. One that cannot be read is thrown after
 * all the others, which it must not hide.
 */
export async function* listRecords(
  keys: readonly string[],
  ledger: Pick<Ledger, 'read'>,
  state: 'open' | 'in-doubt',
): AsyncGenerator<LedgerRecord> {
  let unreadable: unknown;
  for (let start = 0; start < keys.length; start += PAGE) {
    const page = keys.slice(start, start + PAGE).map((key) => ledger.read(key));
    for (const found of await Promise.allSettled(page)) {
      if (found.status === 'rejected') {
        if (!isSendonceError(found.reason, 'SENDONCE_UNREADABLE_RECORD')) throw found.reason;
        unreadable ??= found.reason;
      } else if (isListed(found.value, state)) {
        yield found.value;
      }
    }
  }
  if (unreadable) throw unreadable;
}
