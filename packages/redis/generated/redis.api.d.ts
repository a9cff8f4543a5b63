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
    // (undocumented)
    multi(): {
        addCommand(command: string[]): unknown;
        execAsPipeline(): Promise<unknown>;
    };
    // (undocumented)
    sendCommand(command: string[]): Promise<unknown>;
}

// @public
export interface RedisClient {
    call?(command: string, ...args: (string | number)[]): Promise<unknown>;
    // (undocumented)
    eval(script: string, numberOfKeys: number, ...args: (string | number)[]): Promise<unknown>;
    // (undocumented)
    evalsha(sha: string, numberOfKeys: number, ...args: (string | number)[]): Promise<unknown>;
    // (undocumented)
    info(section: string): Promise<string>;
    // (undocumented)
    readonly isCluster?: boolean;
    // (undocumented)
    readonly options?: unknown;
    pipeline?(commands: unknown[][]): {
        exec(): Promise<[error: Error | null, reply?: unknown][] | null>;
    };
    readonly slots?: readonly (readonly string[])[];
    readonly status?: unknown;
}

// @public
export function redisJournal(client: RedisClient, options?: RedisJournalOptions): Journal;

// @public (undocumented)
export interface RedisJournalOptions {
    readonly everyMs?: number | undefined;
    readonly prefix?: string | undefined;
    readonly retentionMs?: number | undefined;
}

// @public
export function redisLedger(client: RedisClient, options?: RedisLedgerOptions): Ledger;

// @public (undocumented)
export interface RedisLedgerOptions {
    readonly answerWithinMs?: number | undefined;
    readonly durability?: Durability | undefined;
    readonly prefix?: string | undefined;
}

