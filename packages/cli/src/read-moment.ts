import { DAY_MS, HOUR_MS, MINUTE_MS } from '@sendonce/core/ledger';
import { UsageError } from './terminal.ts';

const SECOND_MS = 1000;
const unitsMs = { s: SECOND_MS, m: MINUTE_MS, min: MINUTE_MS, h: HOUR_MS, d: DAY_MS } as const;

/** What {@link readMoment} was given: the name of the option, its value, and the time of now. */
interface Given {
  readonly option: string;
  readonly text: string;
  readonly nowMs: number;
}

/**
 * Reads a time: a duration before now (`90s`, `30min`, `2h`, `1d 12h`), a day (`2026-12-01`), or a
 * time (`2026-12-01T09:30`, also with seconds). A time without a zone is in UTC, as all times that
 * the commands print.
 *
 * @returns the first and the last millisecond of the second, minute or day that is meant
 * @throws {UsageError}
 */
export function readMoment({ option, text, nowMs }: Given): { firstMs: number; lastMs: number } {
  const agoMs = readDuration(text);
  if (agoMs !== undefined) return { firstMs: nowMs - agoMs, lastMs: nowMs - agoMs };
  const moment = readTime(text);
  if (moment) return moment;
  throw new UsageError(
    `Expected ${option} to be a duration before now, such as 30min, 2h or 7d, or a time in UTC, such as 2026-12-01 or 2026-12-01T09:30.`,
  );
}

function readDuration(text: string): number | undefined {
  if (!/^(\d{1,9} ?(s|m|min|h|d) ?)+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+) ?(min|s|m|h|d)/g)) {
    ms += Number(count) * unitsMs[unit as keyof typeof unitsMs];
  }
  return ms;
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(\.\d{1,3})?(Z|[+-]\d\d:\d\d)?)?$/;

function readTime(text: string): { firstMs: number; lastMs: number } | undefined {
  const [, day, minute, second, fraction, zone = 'Z'] = TIME.exec(text) ?? [];
  if (day === undefined || (fraction !== undefined && second === undefined)) return undefined;
  // 31 February would be read as 3 March.
  if (new Date(Date.parse(day)).toJSON()?.slice(0, 10) !== day) return undefined;
  const firstMs = Date.parse(`${day}T${minute ?? '00:00'}${second ?? ''}${fraction ?? ''}${zone}`);
  if (Number.isNaN(firstMs)) return undefined;
  const lengthMs = findLengthMs({ minute, second, fraction });
  return { firstMs, lastMs: firstMs + lengthMs - 1 };
}

type Parts = Readonly<Record<'minute' | 'second' | 'fraction', string | undefined>>;

function findLengthMs({ minute, second, fraction }: Parts): number {
  if (minute === undefined) return DAY_MS;
  if (second === undefined) return MINUTE_MS;
  return fraction === undefined ? SECOND_MS : 1;
}
