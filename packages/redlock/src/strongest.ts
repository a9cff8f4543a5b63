import type { LedgerRecord, RecordState } from '@sendonce/core';

// What one node remembers and another does not is decided by what it means for the email: that it was
// sent outweighs everything, a mere claim outweighs nothing.
const rank: Record<RecordState, number> = {
  sent: 5,
  rejected: 4,
  dispatched: 3,
  'in-doubt': 2,
  cancelled: 1,
  claimed: 0,
};

/** Of what the nodes show, that which says most; undefined where they show nothing. */
export function strongest<T extends { readonly record: LedgerRecord }>(
  shown: readonly T[],
): T | undefined {
  return shown.toSorted((one, other) => rank[other.record.state] - rank[one.record.state])[0];
}

/** Whether the email may have been sent: counts even where a single node remembers it. */
export function isFact({ state }: LedgerRecord): boolean {
  return state !== 'claimed' && state !== 'cancelled';
}

/** How long one waits before it asks again where rivals met; random, so that they part. */
export function pauseMs(): number {
  return 20 + Math.round(Math.random() * 80);
}
