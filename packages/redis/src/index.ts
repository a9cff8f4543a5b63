export type { RedisClient } from './client.ts';
export { redisLedger, type RedisLedgerOptions } from './redis-ledger.ts';
