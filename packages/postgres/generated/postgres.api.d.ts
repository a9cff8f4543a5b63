// Written by `pnpm api`: the public surface of this entry point.

import type { Finding } from '@sendonce/core';
import type { Ledger } from '@sendonce/core';

// @public
export function migratePostgres(pool: PostgresPool, options?: {
    readonly schema?: string | undefined;
}): Promise<void>;

// Warning: (ae-forgotten-export) The symbol "Queryable" needs to be exported by the entry point index.d.ts
//
// @public
export interface PostgresClient extends Queryable {
    on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
    ref?(): void;
    release(destroy?: boolean | Error): void;
    unref?(): void;
}

// @public
export interface PostgresLedger extends Ledger, AsyncDisposable {
    close(): Promise<void>;
    doctor(): Promise<readonly Finding[]>;
    ready(): Promise<void>;
}

// @public
export function postgresLedger(pool: PostgresPool, options?: PostgresLedgerOptions): PostgresLedger;

// @public
export interface PostgresLedgerOptions {
    readonly answerWithinMs?: number | undefined;
    readonly intervalMs?: number | undefined;
    readonly migrate?: boolean | undefined;
    readonly schema?: string | undefined;
}

// @public
export interface PostgresPool extends Queryable {
    connect(): Promise<PostgresClient>;
    readonly options?: {
        readonly max?: number | undefined;
    } | undefined;
}

// @public
export interface TransactionPool {
    // (undocumented)
    readonly [name: string]: unknown;
    connect(): Promise<TransactionPool & {
        release(): void;
    }>;
    end(): Promise<void>;
    on(event: string, listener: (...values: unknown[]) => void): TransactionPool;
    query(text: string, values?: readonly unknown[]): Promise<{
        rows: Row[];
    }>;
    removeAllListeners(): TransactionPool;
    removeListener(event: string, listener: (...values: unknown[]) => void): TransactionPool;
}

// @public
export function transactionPool(client: Queryable): TransactionPool;

// Warnings were encountered during analysis:
//
// packages/postgres/src/transaction-pool.ts - (ae-forgotten-export) The symbol "Row" needs to be exported by the entry point index.d.ts

