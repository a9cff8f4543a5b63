import type { HourCounts, JournalType } from '@sendonce/core';

export type Counts = Readonly<Partial<Record<JournalType, number>>>;

/** How often each step happened in the hours from then on. */
export function sumSince(hours: readonly HourCounts[], sinceMs: number): Counts {
  const sum: Partial<Record<JournalType, number>> = {};
  for (const { hourMs, counts } of hours) {
    if (hourMs < sinceMs) continue;
    for (const [type, count] of Object.entries(counts) as [JournalType, number][]) {
      sum[type] = (sum[type] ?? 0) + count;
    }
  }
  return sum;
}

/** When today began where this machine is; counts are kept by whole hours. */
export function todayMs(nowMs: number): number {
  const day = new Date(nowMs).setHours(0, 0, 0, 0);
  return Math.floor(day / 3_600_000) * 3_600_000;
}

export const DAY_MS = 24 * 60 * 60 * 1000;
