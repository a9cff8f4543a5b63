import type { RedisClient } from './client.ts';

/** What may go out in one call: on a Cluster the items of one hash tag, else all of them. */
export function groupByTag<T>(
  client: RedisClient,
  items: readonly T[],
  tagOf: (item: T) => string | undefined,
): readonly (readonly T[])[] {
  if (!client.isCluster) return [items];
  const groups = new Map<string | undefined, T[]>();
  for (const item of items) {
    const tag = tagOf(item);
    const group = groups.get(tag);
    if (group) group.push(item);
    else groups.set(tag, [item]);
  }
  return [...groups.values()];
}
