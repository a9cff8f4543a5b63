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
  return ms < MINUTE_MS ? 'under a minute' : formatDuration(Math.floor(ms / MINUTE_MS) * MINUTE_MS);
}

/** Undefined for a number that is not a time; a store of another make may return one. */
function toIso(atMs: number): string | undefined {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
