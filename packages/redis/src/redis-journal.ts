import { hostname } from 'node:os';
import {
  DEFAULT_RETENTION_MS,
  type HourCounts,
  type Journal,
  type JournalEntry,
  type JournalType,
} from '@sendonce/core';
import { senderOf } from '@sendonce/core/inspect';
import {
  bareMessageId,
  checkDuration,
  checkTimer,
  checkNames,
  DAY_MS,
  hash128,
  HOUR_MS,
  isKey,
  MAX_BATCH,
  type OptionNames,
  warn,
  withTimeout,
} from '@sendonce/core/ledger';
import { checkClient, defineScript, type RedisClient } from './client.ts';
import * as lua from './generated/scripts.ts';
import { groupByTag } from './group-by-tag.ts';
import { entriesOf, isStep, linesOf } from './journal-line.ts';
import { checkPrefix, placesOf, type Places } from './places.ts';

/** The options of {@link redisJournal}. */
export interface RedisJournalOptions {
  /**
   * What the keys begin with; it may be the ledger's, which uses other keys. @default 'sendonce'
   */
  readonly prefix?: string | undefined;
  /**
   * How long histories and names are kept after their last entry, in ms, and the history of a
   * scheduled email after it is due. Counts are kept for 35 days.
   * @default 604_800_000 (7 days)
   */
  readonly retentionMs?: number | undefined;
  /** How often the entries that wait are written together, in ms. @default 250 */
  readonly intervalMs?: number | undefined;
}

const OPTION_NAMES: OptionNames<RedisJournalOptions> = {
  prefix: true,
  retentionMs: true,
  intervalMs: true,
};

/** The journal that {@link redisJournal} returns. */
export interface RedisJournal extends Journal, AsyncDisposable {
  /**
   * Writes the entries that wait, and resolves when they are kept or were given up with a warning.
   * Call it after the workers are closed and before you close the client, which stays yours.
   * If Redis does not answer within 10 s, it gives up, with a process warning.
   * `await using` calls it, too.
   */
  close(): Promise<void>;
}

const COUNTS_KEPT_MS = 35 * DAY_MS;
/** How long close() waits for Redis. */
const CLOSE_WITHIN_MS = 10_000;
/** So many entries do not wait for others. */
const FLUSH_AT = 1000;
/** So many writes may be under way, each of as many entries as waited for it. */
const MAX_WRITES = 8;
/** What waits while Redis is away, about 30 MB; the oldest entries are dropped first. */
const MAX_WAITING = 100_000;

/**
 * A journal on Redis or Valkey (5 or later), Sentinel or Cluster, by an ioredis client of yours:
 * that of the ledger, or of the queue. Names are stored as hashes. Labels, Message-IDs and job ids
 * are stored as they are inside the lines. Lines that another version wrote in another format are
 * left out of a history, with one process warning (`SENDONCE_JOURNAL`).
 * @throws {OptionError} for wrong options.
 *
 * @example
 * const journal = redisJournal(client);
 * once(processor, { ledger, journal, label: (job) => `order ${job.data.orderId}`, key: … });
 */
export function redisJournal(client: RedisClient, options: RedisJournalOptions = {}): RedisJournal {
  checkClient(client);
  checkNames('redisJournal()', options, OPTION_NAMES);
  const { prefix = 'sendonce', retentionMs = DEFAULT_RETENTION_MS, intervalMs = 250 } = options;
  checkPrefix(prefix);
  checkDuration('retentionMs', retentionMs);
  checkTimer('intervalMs', intervalMs);
  const places = placesOf(prefix);
  const worker = `${hostname()}:${process.pid}`;
  let waiting: JournalEntry[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  let writes = 0;
  let warnedOfGap = false;
  let warnedOfFormat = false;

  function warnOfGap(why: string): void {
    if (warnedOfGap) return;
    warnedOfGap = true;
    warn(
      'SENDONCE_JOURNAL',
      `The journal could not be written (${why}). Emails are sent as usual; their histories and counts have a gap. ` +
        'Check the connection of redisJournal().',
    );
  }

  function warnOfFormat(): void {
    if (warnedOfFormat) return;
    warnedOfFormat = true;
    warn(
      'SENDONCE_JOURNAL',
      'The journal has lines that another version of sendonce wrote in another format. They are left out ' +
        'of the histories. Emails are not affected. Use the same version of sendonce for all programs ' +
        'that use this journal.',
    );
  }

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    // At once, and not after the write before it: the client may be closed next.
    writing =
      writes < MAX_WRITES ? Promise.all([writing, writeWaiting()]) : writing.then(writeWaiting);
    await writing;
  }

  /** While Redis is away, a client may hold back its commands without a limit of time. */
  async function close(): Promise<void> {
    await withTimeout(flush(), CLOSE_WITHIN_MS, () => {
      warnOfGap(`no answer within ${CLOSE_WITHIN_MS / 1000} s of close()`);
    });
  }

  async function writeWaiting(): Promise<void> {
    const entries = waiting;
    waiting = [];
    if (entries.length === 0) return;
    writes += 1;
    try {
      await write(client, operationsOf(entries, places, retentionMs));
      warnedOfGap = false;
    } catch (error) {
      warnOfGap(error instanceof Error ? error.message : String(error));
    } finally {
      writes -= 1;
    }
  }

  return {
    write(entry) {
      if (waiting.length === MAX_WAITING) {
        waiting.shift();
        warnOfGap('Redis has not answered for long');
      }
      waiting.push(entry.worker === undefined ? { ...entry, worker } : entry);
      if (waiting.length === FLUSH_AT) void flush();
      else timer ??= setTimeout(flush, intervalMs);
    },

    flush,
    close,
    [Symbol.asyncDispose]: close,

    async history(key) {
      const [lines] = await readMany(client, [places.lines(key)], ['line']);
      const entries = lines!.flatMap((line) => {
        const found = entriesOf(key, line);
        if (!found) warnOfFormat();
        return found ?? [];
      });
      return entries.toSorted((one, other) => one.atMs - other.atMs);
    },

    async find(text) {
      const name = hashName(text);
      // Names are kept by the day on which they were written. Tomorrow's are those of a clock that
      // is ahead.
      const days = Math.ceil(retentionMs / DAY_MS) + 2;
      const tomorrow = Math.floor(Date.now() / DAY_MS) + 1;
      const keys = Array.from({ length: days }, (_, ago) => places.names(name, tomorrow - ago));
      const found = await readMany(client, keys, ['name', name]);
      const all = found.flat().flatMap((text) => text.match(/.{22}/g) ?? []);
      return [...new Set(all)].filter(isKey).slice(0, 50);
    },

    async counts(fromMs) {
      const nowHour = Math.floor(Date.now() / HOUR_MS);
      const first = Math.max(Math.floor(fromMs / HOUR_MS), nowHour - COUNTS_KEPT_MS / HOUR_MS);
      // One hour more, for workers whose clock is ahead.
      const hours = Array.from({ length: nowHour + 2 - first }, (_, index) => first + index);
      const found = await readMany(client, hours.map(places.counts), ['count']);
      return hours.flatMap((hour, index) => countsOf(hour, found[index]!));
    },
  };
}

/** By what an email is found, without its text in the name of a key. */
function hashName(text: string): string {
  return hash128(bareMessageId(text.trim())).slice(0, 12);
}

interface Operation {
  readonly place: string;
  readonly args: readonly (string | number)[];
}

function operationsOf(
  entries: readonly JournalEntry[],
  places: Places,
  retentionMs: number,
): Operation[] {
  const operations: Operation[] = linesOf(entries).map(({ key, text, dueMs }) => ({
    place: places.lines(key),
    args: ['line', retentionMs + Math.max(0, dueMs - Date.now()), text, ''],
  }));
  const today = Math.floor(Date.now() / DAY_MS);
  const names = new Map<string, Operation>();
  const counts = new Map<string, { place: string; type: string; count: number }>();
  for (const { key, type, atMs, job, label, messageId } of entries) {
    for (const text of [label, messageId, job && senderOf({ job })]) {
      if (text === undefined) continue;
      const name = hashName(text);
      names.set(name + key, {
        place: places.names(name, today),
        args: ['name', retentionMs + DAY_MS, name, key],
      });
    }
    const place = places.counts(Math.floor(atMs / HOUR_MS));
    const counted = counts.get(place + type);
    if (counted) counted.count += 1;
    else counts.set(place + type, { place, type, count: 1 });
  }
  operations.push(...names.values());
  for (const { place, type, count } of counts.values()) {
    operations.push({ place, args: ['count', COUNTS_KEPT_MS, type, count] });
  }
  return operations;
}

const writeScript = defineScript(lua.journal);
const readScript = defineScript(lua.journalRead);

async function write(client: RedisClient, operations: readonly Operation[]): Promise<void> {
  const calls: Promise<unknown>[] = [];
  const tagOf = ({ place }: Operation) => place.slice(0, place.indexOf('}'));
  for (const group of groupByTag(client, operations, tagOf)) {
    for (let start = 0; start < group.length; start += MAX_BATCH) {
      const some = group.slice(start, start + MAX_BATCH);
      const places = some.map(({ place }) => place);
      const args = some.flatMap((operation) => operation.args);
      calls.push(writeScript(client, places, args));
    }
  }
  await Promise.all(calls);
}

async function readMany(
  client: RedisClient,
  keys: readonly string[],
  args: readonly string[],
): Promise<string[][]> {
  return (await readScript(client, keys, args)) as string[][];
}

function countsOf(hour: number, flat: readonly string[]): HourCounts[] {
  if (flat.length === 0) return [];
  const counts: Partial<Record<JournalType, number>> = {};
  for (let at = 0; at < flat.length; at += 2) {
    const [type = '', count = ''] = flat.slice(at, at + 2);
    if (isStep(type) && /^\d{1,15}$/.test(count)) counts[type] = Number(count);
  }
  return [{ hourMs: hour * HOUR_MS, counts }];
}
