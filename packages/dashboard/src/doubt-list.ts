import type { LedgerRecord } from '@sendonce/core';
import { describeCause } from '@sendonce/core/inspect';
import { hash128 } from '@sendonce/core/ledger';

/** The emails in doubt that have the same cause. */
export interface DoubtGroup {
  /** Identifies the cause in a URL. */
  readonly id: string;
  readonly cause: string;
  readonly count: number;
}

/** A part of the emails in doubt, the oldest first. */
export interface DoubtPage {
  readonly records: readonly LedgerRecord[];
  /** From 1. */
  readonly number: number;
  readonly pages: number;
  /** How many emails in doubt precede the page. */
  readonly before: number;
  /** How many emails in doubt have the cause that was asked for. */
  readonly total: number;
}

export const DOUBTS_ON_A_PAGE = 25;

/** The causes of doubts, the commonest first. */
export function groupByCause(records: readonly LedgerRecord[]): readonly DoubtGroup[] {
  const counts = new Map<string, number>();
  for (const record of records) {
    const cause = describeCause(record);
    counts.set(cause, (counts.get(cause) ?? 0) + 1);
  }
  return [...counts]
    .map(([cause, count]) => ({ id: causeId(cause), cause, count }))
    .toSorted((one, other) => other.count - one.count);
}

/** The nearest page that exists. `cause`: the id of the only cause to show with this cause. */
export function selectDoubts(
  records: readonly LedgerRecord[],
  { cause, page }: { readonly cause: string | undefined; readonly page: number },
): DoubtPage {
  const chosen =
    cause === undefined ? records : records.filter((one) => causeId(describeCause(one)) === cause);
  const pages = Math.max(1, Math.ceil(chosen.length / DOUBTS_ON_A_PAGE));
  const number = Math.min(Math.max(1, page), pages);
  const before = (number - 1) * DOUBTS_ON_A_PAGE;
  return {
    records: chosen.slice(before, before + DOUBTS_ON_A_PAGE),
    number,
    pages,
    before,
    total: chosen.length,
  };
}

function causeId(cause: string): string {
  return hash128(cause).slice(0, 8);
}
