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

/**
 * Of what the nodes show, that which says most; undefined where they show nothing. `size`: of a majority.
 */
export function strongest<T extends { readonly record: LedgerRecord }>(
  shown: readonly T[],
  size: number,
): T | undefined {
  // A sender whom a majority takes for silent is silent: few have heard its heartbeat, so it was lost.
  const isSilent = ({ token }: LedgerRecord) => {
    const doubts = shown.filter(({ record }) => record.state === 'in-doubt');
    return doubts.filter(({ record }) => record.token === token).length >= size;
  };
  return shown
    .filter(({ record }) => record.state !== 'dispatched' || !isSilent(record))
    .toSorted(
      ({ record: one }, { record: other }) =>
        rank[other.state] - rank[one.state] || ageOrder(one, other),
    )[0];
}

/** Whose repeat changes nothing: the first word counts. Of a claim or an outcome the last one. */
const lasting: ReadonlySet<RecordState> = new Set(['dispatched', 'in-doubt', 'cancelled']);

function ageOrder(one: LedgerRecord, other: LedgerRecord): number {
  return lasting.has(one.state) ? one.atMs - other.atMs : other.atMs - one.atMs;
}

/** Whether the email may have been sent: counts even where a single node remembers it. */
export function isFact({ state }: LedgerRecord): boolean {
  return state !== 'claimed' && state !== 'cancelled';
}

/** How long one waits before it asks again where rivals met; random, so that they part. */
export function pauseMs(): number {
  return 20 + Math.round(Math.random() * 80);
}
