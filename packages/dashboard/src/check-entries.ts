import type { HourCounts, JobRef, JournalEntry, LedgerRecord } from '@sendonce/core';
import { HOUR_MS, isKey } from '@sendonce/core/ledger';

/**
 * What a store returns may have been written by any program. Each value is checked before a page
 * uses it: a field of the wrong type is left out, and a text is shortened to what a page can show.
 */

const MAX_TEXT_LENGTH = 1000;
const MAX_RESULT_LENGTH = 20_000;
/** The largest time of a `Date`. */
const MAX_TIME_MS = 8.64e15;

/**
 * @returns undefined if the value has no key, state or token: then it cannot be shown or resolved.
 */
export function checkRecord(value: unknown): LedgerRecord | undefined {
  const { key, state, token, atMs, result, lateNotSent, ...fields } = toFields(value);
  if (!isKey(key) || !isText(state) || !isToken(token)) return undefined;
  return {
    key,
    // A newer version may know other states. They are shown by their names.
    state: shorten(state) as LedgerRecord['state'],
    token,
    atMs: checkTime(atMs) ?? Number.NaN,
    job: checkJob(fields['job']),
    by: checkText(fields['by']),
    fingerprint: checkText(fields['fingerprint']),
    messageId: checkText(fields['messageId']),
    note: checkText(fields['note']),
    result: typeof result === 'string' ? shorten(result, MAX_RESULT_LENGTH) : undefined,
    resolvedBy: checkText(fields['resolvedBy']),
    lateNotSent: lateNotSent === true ? true : undefined,
  };
}

/** A cancellation has none. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT_LENGTH;
}

/** The steps of an email that can be shown. A step of the wrong type hides none of the others. */
export function checkHistory(key: string, value: unknown): readonly JournalEntry[] {
  return toList(value).flatMap((entry) => {
    const { type, atMs, token, job, by, worker, label, messageId, note, dueMs } = toFields(entry);
    if (!isText(type)) return [];
    return {
      key,
      // A newer version may know other steps. They are shown by their names.
      type: shorten(type) as JournalEntry['type'],
      atMs: checkTime(atMs) ?? Number.NaN,
      token: checkText(token),
      job: checkJob(job),
      by: checkText(by),
      worker: checkText(worker),
      label: checkText(label),
      messageId: checkText(messageId),
      note: checkText(note),
      dueMs: checkTime(dueMs),
    };
  });
}

export function checkKeys(value: unknown): readonly string[] {
  return toList(value).filter(isKey);
}

/** The counts that are numbers, of the hours from `fromMs` to now. */
export function checkCounts(value: unknown, fromMs: number): readonly HourCounts[] {
  const untilMs = Date.now() + HOUR_MS;
  return toList(value).flatMap((hour) => {
    const { hourMs, counts } = toFields(hour);
    const isShown = typeof hourMs === 'number' && hourMs >= fromMs && hourMs <= untilMs;
    if (!isShown || hourMs % HOUR_MS !== 0) return [];
    const numbers = Object.entries(toFields(counts)).filter(([, count]) => isCount(count));
    return { hourMs, counts: Object.fromEntries(numbers) };
  });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function checkJob(value: unknown): JobRef | undefined {
  const { queue, id } = toFields(value);
  return isText(queue) && isText(id) ? { queue: shorten(queue), id: shorten(id) } : undefined;
}

function checkTime(value: unknown): number | undefined {
  return typeof value === 'number' && Math.abs(value) <= MAX_TIME_MS ? value : undefined;
}

function checkText(value: unknown): string | undefined {
  return isText(value) ? shorten(value) : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function shorten(text: string, maxLength = MAX_TEXT_LENGTH): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

function toFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
