// Written by `pnpm api`: the public surface of this entry point.

import type { Finding } from '@sendonce/core';
import type { Ledger } from '@sendonce/core';

// @public
export function migratePostgres(pool: PostgresPool, options?: {
    readonly schema?: string | undefined;
}): Promise<void>;

// Warning: (ae-forgotten-export) The symbol "Queryable" needs to be exported by the entry point index.d.ts
//
// @public (undocumented)
export interface PostgresClient extends Queryable {
    // (undocumented)
    on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
    ref?(): void;
    release(destroy?: boolean | Error): void;
    // (undocumented)
    unref?(): void;
}

// @public (undocumented)
export interface PostgresLedger extends Ledger, AsyncDisposable {
    close(): Promise<void>;
    // (undocumented)
    doctor(): Promise<readonly Finding[]>;
    ready(): Promise<void>;
}

// @public
export function postgresLedger(pool: PostgresPool, options?: PostgresLedgerOptions): PostgresLedger;

// @public (undocumented)
export interface PostgresLedgerOptions {
    readonly answerWithinMs?: number | undefined;
    readonly migrate?: boolean | undefined;
    readonly schema?: string | undefined;
    readonly sweepEveryMs?: number | undefined;
}

// @public
export interface PostgresPool extends Queryable {
    // (undocumented)
    connect(): Promise<PostgresClient>;
    // (undocumented)
    readonly options?: {
        readonly max?: number | undefined;
    };
}

// @public
export interface TransactionPool {
    // (undocumented)
    readonly [name: string]: unknown;
    // (undocumented)
    connect(): Promise<TransactionPool & {
        release(): void;
    }>;
    // (undocumented)
    end(): Promise<void>;
    // (undocumented)
    on(event: string, listener: (...values: unknown[]) => void): TransactionPool;
    // (undocumented)
    query(text: string, values?: readonly unknown[]): Promise<{
        rows: Row[];
    }>;
    // (undocumented)
    removeAllListeners(): TransactionPool;
    // (undocumented)
    removeListener(event: string, listener: (...values: unknown[]) => void): TransactionPool;
}

// @public
export function transactionPool(client: Queryable): TransactionPool;

// Warnings were encountered during analysis:
//
// /tmp/h/b/packages/postgres/src/transaction-pool.ts:9:63 - (ae-forgotten-export) The symbol "Row" needs to be exported by the entry point index.d.ts

