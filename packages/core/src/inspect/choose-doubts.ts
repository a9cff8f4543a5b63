import { isSendonceError, OptionError, type UnreadableRecordError } from '../errors.ts';
import type { Ledger } from '../ledger.ts';
import { HOUR_MS, DAY_MS } from '../durations.ts';
import type { LedgerRecord } from '../record.ts';
import { checkNames, describe, type OptionNames } from '../store/check-options.ts';

/** Which emails in doubt are meant: those that match everything that is given. */
export interface DoubtFilter {
  /** What the cause begins with, see {@link describeCause}; one of several is enough. */
  readonly causes?: readonly string[] | undefined;
  /** The names of their queues; one of several is enough. */
  readonly queues?: readonly string[] | undefined;
  /** The first moment of their dispatch, by the ledger's clock: ms since 1970. */
  readonly sinceMs?: number | undefined;
  /** The last moment of their dispatch, by the ledger's clock: ms since 1970. */
  readonly untilMs?: number | undefined;
}

const FILTER_NAMES: OptionNames<DoubtFilter> = {
  causes: true,
  queues: true,
  sinceMs: true,
  untilMs: true,
};

/**
 * An email in doubt, as far as a verdict needs it.
 * See {@link chooseDoubts}.
 */
export type ChosenDoubt = Pick<LedgerRecord, 'key' | 'token' | 'atMs' | 'job'> & {
  /** See {@link describeCause}. */
  readonly cause: string;
};

/** What {@link chooseDoubts} returns. */
export interface ChosenDoubts {
  /** Those without a sign of life for longest come first. */
  readonly doubts: readonly ChosenDoubt[];
  /** Whether more than `max` match. */
  readonly more: boolean;
  /** Set if a record cannot be read. It hides none of the others. */
  readonly unreadable: UnreadableRecordError | undefined;
}

/** About 25 MB. */
const MAX_CHOSEN = 100_000;

/**
 * Lists the emails in doubt that match a filter. Only what a verdict needs is kept of each one.
 * @param max how many are listed at most. @default 100_000
 * @throws {OptionError} for an unknown name, and if `sinceMs` is after `untilMs`.
 * @throws {LedgerUnavailableError}
 *
 * @example const { doubts } = await chooseDoubts(ledger, { causes: ['401'], sinceMs });
 */
export async function chooseDoubts(
  ledger: Pick<Ledger, 'list'>,
  filter: DoubtFilter,
  max = MAX_CHOSEN,
): Promise<ChosenDoubts> {
  checkFilter(filter);
  const doubts: ChosenDoubt[] = [];
  // Equal texts are kept once.
  const causes = new Map<string, string>();
  try {
    for await (const record of ledger.list({ state: 'in-doubt' })) {
      if (!matchesFilter(record, filter)) continue;
      if (doubts.length === max) return { doubts, more: true, unreadable: undefined };
      const { key, token, atMs, job } = record;
      const text = describeCause(record);
      const cause = causes.get(text) ?? text;
      causes.set(cause, cause);
      doubts.push({ key, token, atMs, job, cause });
    }
  } catch (error) {
    if (!isSendonceError(error, 'SENDONCE_UNREADABLE_RECORD')) throw error;
    return { doubts, more: false, unreadable: error };
  }
  return { doubts, more: false, unreadable: undefined };
}

/** Whether an email in doubt matches everything that the filter gives. See {@link chooseDoubts}. */
export function matchesFilter(
  record: LedgerRecord,
  { causes, queues, sinceMs, untilMs }: DoubtFilter,
): boolean {
  // A store of another make may have no time, which is NaN here.
  if (sinceMs !== undefined && !(record.atMs >= sinceMs)) return false;
  if (untilMs !== undefined && !(record.atMs <= untilMs)) return false;
  const queue = record.job?.queue;
  if (queues && (queue === undefined || !queues.includes(queue))) return false;
  const cause = describeCause(record);
  return !causes || causes.some((beginning) => cause.startsWith(beginning));
}

/**
 * Why an email is in doubt, for people: its note, or a sentence if there is none.
 *
 * @example describeCause(record) // 'ETIMEDOUT'
 */
export function describeCause({
  note,
  lateNotSent,
}: Pick<LedgerRecord, 'note' | 'lateNotSent'>): string {
  if (lateNotSent) return 'not sent; the next attempt sends it';
  return note ?? 'the sender stopped without an outcome';
}

/** One value, and how many emails in doubt have it. See {@link countDoubts}. */
export interface DoubtCount {
  /** A cause, the name of a queue, or an age. */
  readonly name: string;
  /** How many emails. */
  readonly count: number;
}

/** What {@link countDoubts} returns. The commonest value comes first. */
export interface DoubtCounts {
  /** See {@link describeCause}. */
  readonly causes: readonly DoubtCount[];
  /** `no queue` for emails that were sent without a job. */
  readonly queues: readonly DoubtCount[];
  /** How long ago they were dispatched, in four steps. The youngest come first. */
  readonly ages: readonly DoubtCount[];
}

/**
 * Counts emails in doubt by their cause, their queue and their age, for a preview.
 *
 * @example const { causes } = countDoubts(doubts); // [{ name: '401', count: 1998 }]
 */
export function countDoubts(
  doubts: readonly Pick<ChosenDoubt, 'cause' | 'job' | 'atMs'>[],
  nowMs = Date.now(),
): DoubtCounts {
  const ages = countBy(doubts, ({ atMs }) => describeAge(nowMs - atMs));
  return {
    causes: byCount(countBy(doubts, ({ cause }) => cause)),
    queues: byCount(countBy(doubts, ({ job }) => job?.queue ?? 'no queue')),
    ages: AGES.flatMap(({ name }) => (ages.has(name) ? [{ name, count: ages.get(name)! }] : [])),
  };
}

const AGES = [
  { belowMs: HOUR_MS, name: 'under 1 h' },
  { belowMs: DAY_MS, name: '1 to 24 h' },
  { belowMs: 7 * DAY_MS, name: '1 to 7 d' },
  { belowMs: Infinity, name: 'over 7 d' },
] as const;

function describeAge(ms: number): string {
  return (AGES.find(({ belowMs }) => ms < belowMs) ?? AGES[3]).name;
}

function countBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return counts;
}

function byCount(counts: Map<string, number>): readonly DoubtCount[] {
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .toSorted((one, other) => other.count - one.count);
}

function checkFilter(filter: DoubtFilter): void {
  checkNames('chooseDoubts()', filter, FILTER_NAMES);
  const { causes, queues, sinceMs, untilMs } = filter;
  for (const [name, list] of Object.entries({ causes, queues })) {
    if (list === undefined) continue;
    // An empty text would match everything, and an empty list nothing.
    if (Array.isArray(list) && list.length > 0 && list.every(isFilled)) continue;
    throw new OptionError(
      name,
      `Expected "${name}" to be a list of texts, got ${describe(list)}. Nothing was resolved.`,
    );
  }
  for (const [name, ms] of Object.entries({ sinceMs, untilMs })) {
    if (ms === undefined || Number.isFinite(ms)) continue;
    throw new OptionError(
      name,
      `Expected "${name}" to be milliseconds since 1970, got ${describe(ms)}. Nothing was resolved.`,
    );
  }
  if (sinceMs !== undefined && untilMs !== undefined && sinceMs > untilMs) {
    throw new OptionError(
      'sinceMs',
      'Expected "sinceMs" to be before "untilMs": no email matches both. Nothing was resolved.',
    );
  }
}

function isFilled(text: unknown): boolean {
  return typeof text === 'string' && text !== '';
}
