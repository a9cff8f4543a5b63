// Written by `pnpm api`: the public surface of this entry point.

import { Ledger } from '@sendonce/core';
import type { RedisClient } from '@sendonce/redis';
import { SendonceError } from '@sendonce/core';

// @public
export interface NodeVote {
    readonly node: string;
    readonly reason?: string | undefined;
    readonly vote: 'for' | 'against' | 'unreachable';
}

// @public
export class QuorumError extends SendonceError {
    constructor(verb: string, votes: readonly NodeVote[]);
    // (undocumented)
    readonly name = "QuorumError";
    readonly votes: readonly NodeVote[];
}

// @public
export function redlockLedger(clients: readonly RedisClient[], options?: RedlockLedgerOptions): Ledger;

// @public
export interface RedlockLedgerOptions {
    readonly answerWithinMs?: number | undefined;
    readonly prefix?: string | undefined;
}

