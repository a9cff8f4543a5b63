// Written by `pnpm api`: the public surface of this entry point.

import type colors from 'picocolors';
import type { Ledger } from '@sendonce/core';
import type { QueueOfJobs } from '@sendonce/core/inspect';
import type { Sources } from '@sendonce/core';

// @public
export function runCli(argv: readonly string[], terminal: Terminal): Promise<number>;

// @public
export interface SendonceConfig {
    readonly close?: (() => Promise<unknown> | void) | undefined;
    readonly journal?: Sources['journal'];
    readonly ledger: Ledger;
    readonly queues?: readonly QueueOfJobs[] | undefined;
}

// @public
export interface Terminal {
    readonly ask: ((question: string) => Promise<string>) | undefined;
    readonly columns: number | undefined;
    readonly env: Readonly<Record<string, string | undefined>>;
    err(text: string): void;
    readonly folder: string;
    out(text: string): void;
    readonly paint: ReturnType<typeof colors.createColors>;
    readInput(): Promise<string>;
    readonly stopped: AbortSignal;
}

