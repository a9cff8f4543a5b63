import { OptionError } from '@sendonce/core';
import { checkDuration, describe, MAX_DURATION_MS } from '@sendonce/core/ledger';
import { readNotAfter } from './not-after.ts';

/**
 * When an email is due: at a moment (`at`), or some time from now (`delay`).
 *
 * @example { at: new Date('2099-01-01T09:00:00Z') } or { delay: 60_000 }
 */
export type When =
  | {
      /** The moment. It is stored as it is, so the clock of this machine does not affect it. */
      readonly at: Date;
      readonly delay?: undefined;
    }
  | {
      /**
       * The time from now by the clock of this machine, in milliseconds; 0 sends at once. The name
       * and the unit are those of BullMQ's job option `delay`.
       */
      readonly delay: number;
      readonly at?: undefined;
    };

/** When the time of an email is over. */
export interface NotAfter {
  /**
   * The last moment at which the email may be sent, as a `Date` or in milliseconds since 1970. If
   * its turn comes later (a backlog, an outage, a retry), it is not sent: it is `skipped` with the
   * reason `not-after`. The clock of the queue's Redis decides (on another server, that of the
   * worker's machine).
   * @default none: the email is sent however late it is
   */
  readonly notAfter?: Date | number | undefined;
}

/**
 * The last moment of an email that is due at `atMs`, in ms since 1970.
 * @throws {OptionError} if it is no time, or not after `at`.
 */
export function checkNotAfter(notAfter: unknown, atMs: number, done: string): number | undefined {
  if (notAfter === undefined) return undefined;
  const notAfterMs = readNotAfter(notAfter, done);
  if (notAfterMs > atMs) return notAfterMs;
  throw new OptionError(
    'notAfter',
    `Expected "notAfter" to be after the time at which the email is due (${formatMoment(atMs)}), got ` +
      `${formatMoment(notAfterMs)}: the email would never be sent. ${done}`,
  );
}

/** @throws {OptionError} if an email is to be moved to a time at which its own time is over. */
export function refuseNeverSent(notAfterMs: number | undefined, atMs: number): void {
  if (notAfterMs === undefined || notAfterMs > atMs) return;
  throw new OptionError(
    'notAfter',
    `The email has the "notAfter" ${formatMoment(notAfterMs)}, and the new time (${formatMoment(atMs)}) is not ` +
      'before it: the email would never be sent. Nothing was moved. Give a new "notAfter" as well.',
  );
}

const formatMoment = (ms: number) => new Date(ms).toISOString();

/**
 * The due time in ms since 1970. An `at` that passed less than `pastToleranceMs` ago means now.
 * @throws {OptionError} if the time is missing, given twice, invalid or past.
 */
export function dueMs(when: When, nowMs: number, pastToleranceMs: number): number {
  const { at, delay } = (when ?? {}) as { at?: unknown; delay?: unknown };
  if (at !== undefined && delay !== undefined) {
    throw invalidWhen('delay', 'Expected either "at" or "delay", got both.');
  }
  if (delay !== undefined) {
    return nowMs + (delay === 0 ? 0 : checkDelay(delay));
  }
  if (at === undefined) {
    throw invalidWhen('at', 'Expected "at" (a Date) or "delay" (milliseconds; 0 sends at once).');
  }
  if (!(at instanceof Date)) {
    throw invalidWhen('at', `Expected "at" to be a Date, got ${describe(at)}; pass new Date(…).`);
  }
  const atMs = at.getTime();
  if (Number.isNaN(atMs))
    throw invalidWhen('at', 'Expected "at" to be a valid Date, got an invalid one.');
  if (atMs < nowMs - pastToleranceMs) {
    throw invalidWhen(
      'at',
      `Expected "at" to be in the future, got ${at.toISOString()}, more than ${pastToleranceMs} ms ago ` +
        '(pastToleranceMs). To send at once, pass { delay: 0 }.',
    );
  }
  if (atMs > nowMs + MAX_DURATION_MS) {
    throw invalidWhen('at', `Expected "at" to be within 100 years, got ${at.toISOString()}.`);
  }
  return Math.max(atMs, nowMs);
}

function checkDelay(delay: unknown): number {
  const whole = typeof delay === 'number' ? Math.ceil(delay) : delay;
  try {
    return checkDuration('delay', whole);
  } catch {
    throw invalidWhen(
      'delay',
      `Expected "delay" to be milliseconds from 0 to 100 years, got ${describe(delay)}.`,
    );
  }
}

function invalidWhen(option: string, message: string): OptionError {
  return new OptionError(option, `${message} Nothing was scheduled.`);
}
