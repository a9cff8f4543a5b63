import type { LedgerRecord, RecordState } from '@sendonce/core';

// What one node remembers and another does not is decided by what it means for the email: that it
// was sent outweighs everything, a mere claim outweighs nothing.
const rank: Record<RecordState, number> = {
  sent: 5,
  rejected: 4,
  dispatched: 3,
  'in-doubt': 2,
  cancelled: 1,
  claimed: 0,
  // A node that shows a claim knows more: the next claim has won over the skip.
  skipped: -1,
};

/**
 * Of the records that the nodes show, the one that decides; undefined if they show none.
 *
 * @param size how many nodes are a majority.
 */
export function mostConclusive<T extends { readonly record: LedgerRecord }>(
  shown: readonly T[],
  size: number,
): T | undefined {
  // A sender that is silent for a majority is silent: its heartbeat reached few nodes, so it was
  // lost.
  const isSilent = ({ token }: LedgerRecord) => {
    const doubts = shown.filter(({ record }) => record.state === 'in-doubt');
    return doubts.filter(({ record }) => record.token === token).length >= size;
  };
  const isSkipped = ({ token }: LedgerRecord) => {
    const skips = shown.filter(({ record }) => record.state === 'skipped');
    return skips.filter(({ record }) => record.token === token).length >= size;
  };
  return (
    shown
      .filter(({ record }) => record.state !== 'dispatched' || !isSilent(record))
      // Its sender has decided; a node that has not received that decides nothing.
      .filter(({ record }) => !isPending.has(record.state) || !isSkipped(record))
      .toSorted(
        ({ record: one }, { record: other }) =>
          rank[other.state] - rank[one.state] || ageOrder(one, other),
      )[0]
  );
}

const isPending: ReadonlySet<RecordState> = new Set(['claimed', 'dispatched', 'in-doubt']);

// A repeat of these changes nothing, so the oldest record is the right one. A claim or an outcome
// is written anew by a repeat, so the newest one is.
const firstWins: ReadonlySet<RecordState> = new Set(['dispatched', 'in-doubt', 'cancelled']);

function ageOrder(one: LedgerRecord, other: LedgerRecord): number {
  return firstWins.has(one.state) ? one.atMs - other.atMs : other.atMs - one.atMs;
}

/** Whether the email may have been sent: counts even if a single node remembers it. */
export function isFact({ state }: LedgerRecord): boolean {
  return state !== 'claimed' && state !== 'cancelled' && state !== 'skipped';
}

/** How long to wait before asking again where rivals met; random, so that they part. */
export function pauseMs(): number {
  return 20 + Math.round(Math.random() * 80);
}
