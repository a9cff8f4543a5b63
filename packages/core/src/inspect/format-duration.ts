import { DAY_MS, HOUR_MS, MAX_DURATION_MS, MINUTE_MS } from '../durations.ts';

const SECOND_MS = 1000;

/**
 * A duration for people.
 *
 * By default it was measured, and is shown in its two largest units, rounded down: `12 ms`,
 * `3.2 s`, `2 h 10 min`, `3 d`.
 * With `exact` it was set or computed, and is shown in one unit, never shortened: `1500 ms`,
 * `60 s`, `7 days`. From 10 s it is rounded up to whole seconds, because it is a limit. Beyond 100
 * years it is `more than 100 years`.
 *
 * @example formatDuration(Date.now() - record.atMs) // '2 h 10 min'
 */
export function formatDuration(ms: number, { exact = false } = {}): string {
  return exact ? inOneUnit(ms) : inTwoUnits(ms);
}

function inTwoUnits(ms: number): string {
  if (ms < SECOND_MS) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10 * SECOND_MS) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const index = measuredUnits.findIndex(([unitMs]) => ms >= unitMs);
  const [unitMs, unit] = measuredUnits[index]!;
  const [partMs, part] = measuredUnits[index + 1] ?? [unitMs, unit];
  const rest = Math.floor((ms % unitMs) / partMs);
  return `${Math.floor(ms / unitMs)} ${unit}${rest === 0 ? '' : ` ${rest} ${part}`}`;
}

const measuredUnits = [
  [DAY_MS, 'd'],
  [HOUR_MS, 'h'],
  [MINUTE_MS, 'min'],
  [SECOND_MS, 's'],
] as const;

function inOneUnit(ms: number): string {
  if (ms > MAX_DURATION_MS) return 'more than 100 years';
  for (const [unitMs, unit, least] of exactUnits) {
    const count = ms / unitMs;
    if (count >= least && Number.isInteger(count)) return `${count} ${unit}`;
  }
  if (ms < 10 * SECOND_MS) return `${Math.ceil(ms)} ms`;
  return inOneUnit(Math.ceil(ms / SECOND_MS) * SECOND_MS);
}

// One minute is "60 s" and one day is "24 h": settings are written that way.
const exactUnits = [
  [DAY_MS, 'days', 2],
  [HOUR_MS, 'h', 2],
  [MINUTE_MS, 'min', 2],
  [SECOND_MS, 's', 1],
] as const;
