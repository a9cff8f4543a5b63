import { type Html, html } from './html.ts';

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A time as people and machines read it: UTC, to the second. */
export function timeOf(atMs: number, precise = false): Html {
  const iso = isoOf(atMs);
  if (iso === undefined) return html`<span class="none">–</span>`;
  const [day, clock] = [iso.slice(0, 10), iso.slice(11, precise ? 23 : 19)];
  return html`<time datetime="${iso}">${day} ${clock}</time>`;
}

/** How long something took, or has been so, in the two largest units that say anything. */
export function lengthOf(ms: number): string {
  if (ms < SECOND_MS) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10 * SECOND_MS) return `${(ms / SECOND_MS).toFixed(1)} s`;
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return two(ms, MINUTE_MS, 'min', SECOND_MS, 's');
  if (ms < DAY_MS) return two(ms, HOUR_MS, 'h', MINUTE_MS, 'min');
  return two(ms, DAY_MS, 'd', HOUR_MS, 'h');
}

/** The same for a page that is renewed every second, and should not be another one each time. */
export function ageOf(ms: number): string {
  return ms < MINUTE_MS ? 'under a minute' : lengthOf(Math.floor(ms / MINUTE_MS) * MINUTE_MS);
}

function two(ms: number, large: number, name: string, small: number, part: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${name}${rest === 0 ? '' : ` ${rest} ${part}`}`;
}

/** Undefined for what is no time, as another version may have written. */
function isoOf(atMs: number): string | undefined {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
