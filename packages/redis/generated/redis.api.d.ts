// Written by `pnpm api`: the public surface of this entry point.

import { Journal } from '@sendonce/core';
import { Ledger } from '@sendonce/core';

// @public
export interface Durability {
    readonly answerWithinMs?: number | undefined;
    readonly fsync?: boolean | undefined;
    readonly replicas?: number | undefined;
}

// @public
export function fromNodeRedis(client: NodeRedisClient): RedisClient;

// @public
export interface NodeRedisClient {
    multi(): {
        addCommand(command: string[]): unknown;
        execAsPipeline(): Promise<unknown>;
    };
    sendCommand(command: string[]): Promise<unknown>;
}

// @public
export interface RedisClient {
    call?(command: string, ...args: (string | number)[]): Promise<unknown>;
    eval(script: string, numberOfKeys: number, ...args: (string | number)[]): Promise<unknown>;
    evalsha(sha: string, numberOfKeys: number, ...args: (string | number)[]): Promise<unknown>;
    info(section: string): Promise<string>;
    readonly isCluster?: boolean | undefined;
    readonly options?: unknown;
    pipeline?(commands: unknown[][]): {
        exec(): Promise<[error: Error | null, reply?: unknown][] | null>;
    };
    readonly slots?: readonly (readonly string[])[] | undefined;
    readonly status?: unknown;
}

// @public
export interface RedisJournal extends Journal, AsyncDisposable {
    close(): Promise<void>;
}

// @public
export function redisJournal(client: RedisClient, options?: RedisJournalOptions): RedisJournal;

// @public
export interface RedisJournalOptions {
    readonly intervalMs?: number | undefined;
    readonly prefix?: string | undefined;
    readonly retentionMs?: number | undefined;
}

// @public
export function redisLedger(client: RedisClient, options?: RedisLedgerOptions): Ledger;

// @public
export interface RedisLedgerOptions {
    readonly answerWithinMs?: number | undefined;
    readonly durability?: Durability | undefined;
    readonly prefix?: string | undefined;
}

