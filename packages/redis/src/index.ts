export { defineScript, type RedisClient } from './client.ts';
export type { Durability } from './durability.ts';
export { type NodeRedisClient, fromNodeRedis } from './node-redis.ts';
export { type Places, placesOf, shards } from './places.ts';
export { encodeFields } from './record.ts';
export { redisJournal, type RedisJournalOptions } from './redis-journal.ts';
export { redisLedger, type RedisLedgerOptions } from './redis-ledger.ts';
