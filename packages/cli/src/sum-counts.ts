import type { HourCounts, JournalType } from '@sendonce/core';
import { HOUR_MS } from '@sendonce/core/ledger';

export type Counts = Readonly<Partial<Record<JournalType, number>>>;

/** How often each step happened in the hours that begin at `sinceMs` or later. */
export function sumCounts(hours: readonly HourCounts[], sinceMs: number): Counts {
  const sum: Partial<Record<JournalType, number>> = {};
  for (const { hourMs, counts } of hours) {
    if (hourMs < sinceMs) continue;
    for (const [type, count] of Object.entries(counts) as [JournalType, number][]) {
      sum[type] = (sum[type] ?? 0) + count;
    }
  }
  return sum;
}

/**
 * The hour in which today began in the time zone of this machine. The journal counts by whole
 * hours.
 */
export function startOfTodayMs(nowMs: number): number {
  const day = new Date(nowMs).setHours(0, 0, 0, 0);
  return Math.floor(day / HOUR_MS) * HOUR_MS;
}
