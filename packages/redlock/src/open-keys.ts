import { KEY_ALPHABET } from '@sendonce/core/ledger';
import { placesOf, defineScript } from '@sendonce/redis/internal';
import * as lua from './generated/scripts.ts';
import { answersOf, type Quorum } from './quorum.ts';

const open = defineScript(lua.open);

/**
 * The keys of all emails that any node lists as open, those without a sign of life for longest
 * first.
 */
export async function openKeys(quorum: Quorum): Promise<string[]> {
  const indexes = Array.from(KEY_ALPHABET, placesOf(quorum.prefix).index);
  const votes = await quorum.poll((node) => open(node.client, indexes, []));
  const marksMs = new Map<string, number[]>();
  for (const reply of answersOf('list', votes) as string[][]) {
    for (let start = 0; start < reply.length; start += 3) {
      const [shard, member = '', remaining] = reply.slice(start, start + 3);
      const key = `${KEY_ALPHABET[Number(shard)]}${member}`;
      marksMs.set(key, [...(marksMs.get(key) ?? []), Number(remaining)]);
    }
  }
  const remainingMs = new Map(
    [...marksMs].map(([key, marks]) => [key, remainingOf(marks, quorum.size)]),
  );
  return [...remainingMs].toSorted((one, other) => one[1] - other[1]).map(([key]) => key);
}

/**
 * A node that missed a heartbeat counts its sender as silent for longer, so the longest mark
 * counts. But if the sender is silent for a majority, its heartbeat reached few nodes.
 */
function remainingOf(marksMs: readonly number[], size: number): number {
  const sorted = marksMs.toSorted((one, other) => one - other);
  const ofMajority = sorted[size - 1] ?? Infinity;
  return ofMajority <= 0 ? ofMajority : sorted.at(-1)!;
}
