import { OptionError } from '@sendonce/core';
import { catchRejection, describe, MAX_DURATION_MS } from '@sendonce/core/ledger';
import type { JobLike, OnceOptions } from './options.ts';
import { measureSkew } from './queue-clock.ts';
import { stampOf } from './schedule-stamp.ts';

/** A moment of which an earlier one is a mistake: seconds, a duration, an empty date. */
const EARLIEST_MS = Date.UTC(2000);

/**
 * A moment as a program gives it, in ms since 1970.
 * @throws {OptionError} for what is no time, or none of this century.
 */
export function readNotAfter(value: unknown, done: string): number {
  const ms = value instanceof Date ? value.getTime() : value;
  if (typeof ms === 'number' && ms >= EARLIEST_MS && ms <= Date.now() + MAX_DURATION_MS) {
    return Math.floor(ms);
  }
  catchRejection(value, () => {});
  const isDate = value instanceof Date && !Number.isNaN(value.getTime());
  const got = isDate ? value.toISOString() : describe(value);
  throw new OptionError(
    'notAfter',
    `Expected "notAfter" to be a Date or milliseconds since 1970, between the year 2000 and 100 years from now, ` +
      `got ${got}. ${done}${typeof value === 'string' ? ' JSON turns a Date into a text: pass new Date(…).' : ''}`,
  );
}

/**
 * When the time of a job's email is over, by the clock of this machine in ms since 1970: the
 * earlier of what `schedule()` and `once()` were given. The clock of the queue's server decides,
 * which is asked only for an email that has such a time. Undefined if it has none.
 * @throws {OptionError} for a `notAfter` of `once()` that returned no time.
 */
export function findNotAfter<J extends JobLike>(
  job: J,
  { notAfter }: Pick<OnceOptions<J>, 'notAfter'>,
): Promise<number> | undefined {
  const scheduled = stampOf(job)?.notAfterMs;
  const selected: unknown = notAfter?.(job);
  if (scheduled === undefined && selected === undefined) return undefined;
  const chosen = selected === undefined ? Infinity : readNotAfter(selected, 'Nothing was sent.');
  return toOwnClock(job, Math.min(scheduled ?? Infinity, chosen));
}

async function toOwnClock(job: JobLike, notAfterMs: number): Promise<number> {
  return Math.floor(notAfterMs + (await measureSkew(job)));
}
