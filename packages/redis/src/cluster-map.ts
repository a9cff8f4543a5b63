import type { RedisClient } from './client.ts';

/**
 * The nodes that hold a shard, by the map of an ioredis Cluster: shards with the same answer may
 * share a pipeline. Undefined if there is no map (yet).
 */
export function findShardNodes({ slots }: RedisClient, shard: string): string | undefined {
  const nodes: unknown = slots?.[slotOf(shard)];
  return Array.isArray(nodes) ? nodes.join(';') : undefined;
}

/** CRC16 (XMODEM) of the hash tag, which is one character here. */
function slotOf(shard: string): number {
  let crc = shard.charCodeAt(0) << 8;
  for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  return crc % 16_384;
}
