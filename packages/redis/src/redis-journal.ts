import { hostname } from 'node:os';
import {
  DEFAULT_RETENTION_MS,
  type HourCounts,
  type Journal,
  type JournalEntry,
  type JournalType,
} from '@sendonce/core';
import { checkDuration, hash128 } from '@sendonce/core/ledger';
import { checkClient, defineScript, type RedisClient } from './client.ts';
import * as lua from './generated/scripts.ts';
import { entriesOf, linesOf } from './journal-line.ts';
import { checkPrefix } from './places.ts';

export interface RedisJournalOptions {
  /** What the keys begin with; it may be the ledger's, which uses other keys. @default 'sendonce' */
  readonly prefix?: string;
  /**
   * How long histories and names are kept after their last entry, in ms, and the history of a scheduled email after it
   * is due; counts for 35 days.
   * @default 604_800_000 (7 days)
   */
  readonly retentionMs?: number;
  /** How long entries wait for others, to go out as one command, in ms. @default 250 */
  readonly everyMs?: number;
}

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const COUNTS_KEPT_MS = 35 * DAY_MS;
/** A script that long takes about a millisecond. */
const LARGEST_CALL = 250;
/** So many do not wait for others. */
const ENOUGH = 1000;
/** What waits while Redis is away, about 30 MB; the oldest go first. */
const MOST_WAITING = 100_000;

/**
 * A journal on Redis or Valkey (5 or later), Sentinel or Cluster, by an ioredis client of yours: that of the
 * ledger, or of the queue. Names are stored as hashes; labels, Message-IDs and job ids inside the lines as they are.
 * @throws {OptionError} for wrong options.
 *
 * @example
 * once(processor, { ledger, journal: redisJournal(client), label: (job) => `order ${job.data.orderId}`, key: … });
 */
export function redisJournal(client: RedisClient, options: RedisJournalOptions = {}): Journal {
  const { prefix = 'sendonce', retentionMs = DEFAULT_RETENTION_MS, everyMs = 250 } = options;
  checkClient(client);
  checkPrefix(prefix);
  checkDuration('retentionMs', retentionMs);
  checkDuration('everyMs', everyMs);
  const places = placesOf(prefix);
  const worker = `${hostname()}:${process.pid}`;
  let waiting: JournalEntry[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let warned = false;

  function warnOnce(why: string): void {
    if (!warned) warn(why);
    warned = true;
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(keepWaiting);
    return writing;
  }

  async function keepWaiting(): Promise<void> {
    const entries = waiting;
    waiting = [];
    if (entries.length === 0) return;
    try {
      await keep(client, operationsOf(entries, places, retentionMs));
      warned = false;
    } catch (error) {
      warnOnce(error instanceof Error ? error.message : String(error));
    }
  }

  return {
    write(entry) {
      if (waiting.length === MOST_WAITING) {
        waiting.shift();
        warnOnce('Redis has not answered for long');
      }
      waiting.push(entry.worker === undefined ? { ...entry, worker } : entry);
      if (waiting.length === ENOUGH) void flush();
      else timer ??= setTimeout(flush, everyMs);
    },

    flush,

    async history(key) {
      const [lines] = await readMany(client, [places.lines(key)], ['line']);
      return lines!
        .flatMap((line) => entriesOf(key, line))
        .toSorted((one, other) => one.atMs - other.atMs);
    },

    async find(text) {
      const name = nameOf(text);
      // Kept by the day on which they were written: today's, all that is kept, and tomorrow's of who is ahead.
      const days = Math.ceil(retentionMs / DAY_MS) + 2;
      const tomorrow = Math.floor(Date.now() / DAY_MS) + 1;
      const keys = Array.from({ length: days }, (_, ago) => places.names(name, tomorrow - ago));
      const found = await readMany(client, keys, ['name', name]);
      const all = found.flat().flatMap((text) => text.match(/.{22}/g) ?? []);
      return [...new Set(all)].slice(0, 50);
    },

    async counts(fromMs) {
      const nowHour = Math.floor(Date.now() / HOUR_MS);
      const first = Math.max(Math.floor(fromMs / HOUR_MS), nowHour - COUNTS_KEPT_MS / HOUR_MS);
      // One more, for workers whose clock is ahead.
      const hours = Array.from({ length: nowHour + 2 - first }, (_, index) => first + index);
      const found = await readMany(client, hours.map(places.counts), ['count']);
      return hours.flatMap((hour, index) => countsOf(hour, found[index]!));
    },
  };
}

interface Places {
  readonly lines: (key: string) => string;
  readonly names: (name: string, day: number) => string;
  readonly counts: (hour: number) => string;
}

function placesOf(prefix: string): Places {
  return {
    lines: (key) => `${prefix}:{${key[0]}}${key.slice(1)}:journal`,
    names: (name, day) => `${prefix}:{${name[0]}}:names:${day}`,
    counts: (hour) => `${prefix}:{counts}:${hour}`,
  };
}

/** By what an email is found, without its text in the name of a key. */
function nameOf(text: string): string {
  // Some providers report a Message-ID without its angle brackets.
  return hash128(text.trim().replace(/^<|>$/g, '')).slice(0, 12);
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
  for (const { key, type, atMs, token, by, label, messageId } of entries) {
    // What a person did has a name that finds nothing.
    for (const text of [label, messageId, token === undefined ? undefined : by]) {
      if (text === undefined) continue;
      const name = nameOf(text);
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

async function keep(client: RedisClient, operations: readonly Operation[]): Promise<void> {
  const calls: Promise<unknown>[] = [];
  for (const group of client.isCluster ? bySlot(operations) : [operations]) {
    for (let start = 0; start < group.length; start += LARGEST_CALL) {
      const some = group.slice(start, start + LARGEST_CALL);
      const places = some.map(({ place }) => place);
      const args = some.flatMap((operation) => operation.args);
      calls.push(writeScript(client, places, args));
    }
  }
  await Promise.all(calls);
}

function bySlot(operations: readonly Operation[]): Operation[][] {
  const groups = new Map<string, Operation[]>();
  for (const operation of operations) {
    const tag = operation.place.slice(0, operation.place.indexOf('}'));
    const group = groups.get(tag);
    if (group) group.push(operation);
    else groups.set(tag, [operation]);
  }
  return [...groups.values()];
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
    counts[flat[at] as JournalType] = Number(flat[at + 1]);
  }
  return [{ hourMs: hour * HOUR_MS, counts }];
}

function warn(why: string): void {
  process.emitWarning(
    `The journal could not be written (${why}). Emails go on; their histories and counts have a gap. ` +
      'Check the connection of redisJournal().',
    { type: 'SendonceWarning', code: 'SENDONCE_JOURNAL' },
  );
}
