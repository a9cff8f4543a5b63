/** Where a Redis ledger keeps things: the layout of `@sendonce/redis`, whose records these are. */
const shards = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('');

export function recordKey(prefix: string, key: string): string {
  return `${prefix}:{${key[0]}}${key.slice(1)}`;
}

/** The indexes of open dispatches, one for each shard. */
export function indexKeys(prefix: string): string[] {
  return shards.map((shard) => `${prefix}:{${shard}}:open`);
}

/** The key of an email, from what the script `open` replies. */
export function keyOf(shard: number, member: string): string {
  return `${shards[shard]}${member}`;
}

/** Where a node notes in which run it last remembered everything. */
export function memberKey(prefix: string): string {
  return `${prefix}:member`;
}
