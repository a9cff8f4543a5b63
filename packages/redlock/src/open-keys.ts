import { defineScript, placesOf, shards } from '@sendonce/redis';
import * as lua from './generated/scripts.ts';
import { answersOf, type Quorum } from './quorum.ts';

const open = defineScript(lua.open);

/** The keys of all emails that any node lists as open, those that are silent for longest first. */
export async function openKeys(quorum: Quorum): Promise<string[]> {
  const indexes = shards.map(placesOf(quorum.prefix).index);
  const votes = await quorum.poll((node) => open(node.client, indexes, []));
  const remainingMs = new Map<string, number>();
  for (const reply of answersOf('list', votes) as string[][]) {
    for (let start = 0; start < reply.length; start += 3) {
      const [shard, member = '', remaining] = reply.slice(start, start + 3);
      const key = `${shards[Number(shard)]}${member}`;
      // A node that missed a heartbeat thinks that its sender is silent for longer.
      remainingMs.set(key, Math.max(remainingMs.get(key) ?? -Infinity, Number(remaining)));
    }
  }
  return [...remainingMs].toSorted((one, other) => one[1] - other[1]).map(([key]) => key);
}
