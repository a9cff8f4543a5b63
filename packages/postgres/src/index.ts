export { migratePostgres } from './migrate.ts';
export type { PostgresLedgerOptions } from './options.ts';
export type { PostgresClient, PostgresPool } from './pool.ts';
export { type TransactionPool, transactionPool } from './transaction-pool.ts';
export { type PostgresLedger, postgresLedger } from './postgres-ledger.ts';
