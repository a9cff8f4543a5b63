import { UnreadableRecordError } from '@sendonce/core';
import { isKey, KEY_ALPHABET } from '@sendonce/core/ledger';
import { defineScript, type RedisClient } from './client.ts';
import type { Deadlines } from './deadlines.ts';
import * as lua from './generated/scripts.ts';
import { groupByTag } from './group-by-tag.ts';
import type { Places } from './places.ts';

interface Source {
  readonly client: RedisClient;
  readonly places: Places;
  readonly deadlines: Deadlines;
}

/** So many entries of the indexes are read by one command: a fraction of 1 ms for a server. */
const MAX_ENTRIES = 512;
/** So many of one index, which keeps what is read ahead small. */
const MAX_OF_SHARD = 64;

interface Entry {
  readonly key: string;
  readonly score: number;
}

/** How far the index of one shard has been read. */
interface Shard {
  readonly name: string;
  /** Read, and not given yet. */
  entries: Entry[];
  isEnded: boolean;
  isDamaged: boolean;
  /** The last entry that was read. No member: all of this score. */
  score: string;
  member: string;
  /** The highest score that is read; `past` and `now` become that of the first command. */
  highest: string;
}

/**
 * The keys of the open dispatches, in pages, those without a sign of life for longest first. Each
 * command reads a part of the indexes, and the next one only when the reader comes to it: a long
 * list holds up neither the server nor this process.
 *
 * What is in doubt at the beginning keeps its place until it ends or gets a sign of life, and then
 * comes behind all that was read. So the doubts come first; then, for `open`, what is still being
 * sent; and then what has become a doubt meanwhile. Only the last two can come twice.
 * @throws {UnreadableRecordError} after all the others, if an index cannot be read.
 */
export async function* listOpenKeys(
  source: Source,
  state: 'open' | 'in-doubt',
): AsyncGenerator<readonly string[]> {
  const shards = Array.from(KEY_ALPHABET, (name): Shard => ({ name, ...restart('-inf', 'past') }));
  const seen = new Set<string>();
  yield* mergeNew(source, shards, seen);
  const begun = shards.map(({ highest }) => highest);
  const parts = state === 'open' ? ['inf', 'now'] : ['now'];
  for (const highest of parts) {
    for (const [index, shard] of shards.entries()) {
      if (!shard.isDamaged) Object.assign(shard, restart(begun[index]!, highest));
    }
    yield* mergeNew(source, shards, seen);
  }
  const damaged = shards.find(({ isDamaged }) => isDamaged);
  if (!damaged) return;
  const index = source.places.index(damaged.name);
  throw new UnreadableRecordError(index, 'Redis; the index of the open emails of one shard');
}

function restart(score: string, highest: string): Omit<Shard, 'name'> {
  return { entries: [], isEnded: false, isDamaged: false, score, member: '', highest };
}

async function* mergeNew(
  source: Source,
  shards: readonly Shard[],
  seen: Set<string>,
): AsyncGenerator<readonly string[]> {
  for await (const page of merge(source, shards)) {
    // An entry that moved while it was waiting here was read again, and may be in one page twice.
    const keys = new Set(page.map(({ key }) => key).filter((key) => isKey(key) && !seen.has(key)));
    for (const key of keys) seen.add(key);
    if (keys.size > 0) yield [...keys];
  }
}

/** Reads the indexes side by side, and gives what no unread entry can precede. */
async function* merge(source: Source, shards: readonly Shard[]): AsyncGenerator<readonly Entry[]> {
  for (;;) {
    await readMore(source, shards);
    const unread = shards.filter(({ isEnded }) => !isEnded);
    const until = Math.min(...unread.map(({ entries }) => entries.at(-1)!.score));
    const page = shards.flatMap((shard) => takeUntil(shard, until));
    if (page.length > 0) yield page.toSorted((one, other) => one.score - other.score);
    if (unread.length === 0) return;
  }
}

function takeUntil(shard: Shard, score: number): readonly Entry[] {
  const end = shard.entries.findIndex((entry) => entry.score > score);
  return shard.entries.splice(0, end === -1 ? shard.entries.length : end);
}

/** Reads a page of each index whose entries come to their end: after that, none is empty. */
async function readMore(source: Source, shards: readonly Shard[]): Promise<void> {
  const wanted = shards.filter(
    ({ entries, isEnded }) => !isEnded && entries.length < MAX_OF_SHARD / 2,
  );
  const calls = groupByTag(source.client, wanted, ({ name }) => name);
  await Promise.all(calls.map((call) => readPages(source, call)));
}

const readScript = defineScript(lua.list);

async function readPages(source: Source, shards: readonly Shard[]): Promise<void> {
  if (shards.length === 0) return;
  const limit = Math.min(MAX_OF_SHARD, Math.floor(MAX_ENTRIES / shards.length));
  const indexes = shards.map(({ name }) => source.places.index(name));
  const args = shards.flatMap(({ score, member, highest }) => [score, member, highest]);
  const reading = readScript(source.client, indexes, [limit, ...args]);
  const pages = (await source.deadlines.limit(reading)) as string[][];
  for (const [index, shard] of shards.entries()) {
    const [highest, ...found] = pages[index]!;
    if (highest === undefined) {
      shard.isDamaged = shard.isEnded = true;
      continue;
    }
    shard.highest = highest;
    for (let at = 0; at < found.length; at += 2) {
      shard.entries.push({ key: shard.name + found[at], score: parseScore(found[at + 1]!) });
    }
    shard.isEnded = found.length < 2 * limit;
    [shard.member, shard.score] =
      found.length > 0 ? (found.slice(-2) as [string, string]) : [shard.member, shard.score];
  }
}

function parseScore(text: string): number {
  return Number(text.replace('inf', 'Infinity'));
}
