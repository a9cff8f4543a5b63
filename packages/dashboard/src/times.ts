import { formatDuration } from '@sendonce/core/inspect';
import { MINUTE_MS } from '@sendonce/core/ledger';
import { type Html, html } from './html.ts';

/** A time in UTC, to the second; `precise`: to the millisecond. */
export function timeElement(atMs: number, precise = false): Html {
  const iso = toIso(atMs);
  if (iso === undefined) return html`<span class="none">–</span>`;
  const [day, clock] = [iso.slice(0, 10), iso.slice(11, precise ? 23 : 19)];
  return html`<time datetime="${iso}">${day} ${clock}</time>`;
}

/**
 * A duration to the minute, for a part of a page that is loaded every second and should not change
 * each time.
 */
export function formatAge(ms: number): string {
  if (Number.isNaN(ms)) return '–';
  return ms < MINUTE_MS ? 'under a minute' : formatDuration(Math.floor(ms / MINUTE_MS) * MINUTE_MS);
}

/** The time between two steps. Empty if one of the times is not known. */
export function formatGap(ms: number): string {
  return Number.isNaN(ms) ? '' : `+ ${formatDuration(ms)}`;
}

/** Undefined for a number that is not a time, because the store has none. */
function toIso(atMs: number): string | undefined {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
