export type { RedisClient } from './client.ts';
export type { Durability } from './durability-options.ts';
export { type NodeRedisClient, fromNodeRedis } from './node-redis.ts';
export { type RedisJournal, redisJournal, type RedisJournalOptions } from './redis-journal.ts';
export { redisLedger, type RedisLedgerOptions } from './redis-ledger.ts';
