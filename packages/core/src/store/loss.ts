import { differingFields } from '../fingerprint.ts';
import type { Attempt } from '../ledger.ts';
import type { LedgerRecord, Loss } from '../record.ts';

/**
 * Why an attempt lost against this record. The order of the checks is part of the contract of
 * {@link Ledger.claim}.
 *
 * @param remainingMs how long the record's lease or its mark "still being sent" lasts at most. Of a
 *   record in doubt: how long ago it was dispatched, negated.
 */
export function lossAgainst(
  record: LedgerRecord,
  { fingerprint }: Pick<Attempt, 'fingerprint'>,
  remainingMs: number,
): Loss {
  if (record.state === 'cancelled') return { state: 'cancelled', record };
  // It blocks nothing: where it is met all the same, the next try wins.
  if (record.state === 'skipped') return { state: 'busy', record, retryAfterMs: 0 };
  const comparable = record.fingerprint !== undefined && fingerprint !== undefined;
  if (comparable && record.fingerprint !== fingerprint) {
    return { state: 'conflict', record, fields: differingFields(record.fingerprint, fingerprint) };
  }
  switch (record.state) {
    case 'in-doubt':
      return { state: 'in-doubt', record, dispatchedAgoMs: Math.max(0, -remainingMs) };
    case 'sent':
      return { state: 'duplicate', record };
    case 'rejected':
      return { state: 'rejected', record };
    case 'claimed':
    case 'dispatched':
      return { state: 'busy', record, retryAfterMs: Math.max(0, remainingMs) };
  }
}
