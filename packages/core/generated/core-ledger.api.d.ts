// Written by `pnpm api`: the public surface of this entry point.

// @public
export interface Attempt {
    readonly by?: string | undefined;
    readonly digest?: string | undefined;
    readonly fingerprint?: string | undefined;
    readonly job?: JobRef | undefined;
    readonly key: string;
    readonly leaseMs: number;
    readonly retentionMs: number;
    readonly token: string;
}

// @public
export function bareError(error: unknown): Error;

// @public
export function bareMessageId(messageId: string): string;

// @public
export interface Cancellation {
    readonly by?: string | undefined;
    readonly key: string;
    readonly retentionMs: number;
}

// @public
export type CancelReply = {
    readonly state: 'cancelled';
} | {
    readonly state: 'too-late';
    readonly record: LedgerRecord;
};

// @public
export function catchRejection(value: unknown, onRejected: (error: unknown) => void): boolean;

// @public
export function checkBoolean(option: string, value: unknown): boolean;

// @public
export function checkDuration(option: string, value: unknown): number;

// @public
export function checkFunction(option: string, value: unknown, optional?: boolean): void;

// @public
export function checkJournal(value: unknown): void;

// @public
export function checkLabelHasJournal(input: {
    readonly journal?: unknown;
}): void;

// @public
export function checkLedger(value: unknown): void;

// @public
export function checkListState(state: unknown): void;

// Warning: (ae-forgotten-export) The symbol "Names" needs to be exported by the entry point index.d.ts
//
// @public
export function checkNames(taker: string, options: unknown, names: Names): void;

// @public
export function checkOneOf<T extends string>(option: string, value: unknown, words: readonly T[]): T;

// Warning: (ae-forgotten-export) The symbol "PerformOptions" needs to be exported by the entry point index.d.ts
//
// @public
export function checkPerformOptions(options: Omit<PerformOptions, 'key'>): void;

// @public
export function checkSpelling(taker: string, options: unknown, names: Names): void;

// @public
export function checkText(option: string, value: unknown): void;

// @public
export function checkTimer(option: string, value: unknown): number;

// @public
export type ClaimReply = {
    readonly state: 'won';
} | Loss;

// @public
export interface ClaimRequest extends Attempt {
    readonly dispatched?: boolean | undefined;
}

// Warning: (ae-forgotten-export) The symbol "MayHaveLeft" needs to be exported by the entry point index.d.ts
// Warning: (ae-forgotten-export) The symbol "Skip" needs to be exported by the entry point index.d.ts
//
// @public (undocumented)
export function createSkip(reason: unknown, mayHaveLeft?: MayHaveLeft): Skip;

// @public
export function createToken(): string;

// @public
export const DAY_MS: number;

// @public
export function describe(value: unknown): string;

// @public
export function differingFields(one: string, other: string): string[];

// Warning: (ae-forgotten-export) The symbol "JobParts" needs to be exported by the entry point index.d.ts
//
// @public
export function digestOf(input: JobParts, key: string): string | undefined;

// @public
export type DispatchReply = {
    readonly state: 'dispatched';
} | {
    readonly state: 'expired';
} | Loss;

// @public
export type EmailOptions = Pick<PerformOptions, 'key' | 'job' | 'digest' | 'by' | 'fingerprint' | 'emailDateMs' | 'notAfterMs' | 'settleVia' | 'label' | 'onEvent'> & {
    readonly isRepeat?: boolean | undefined;
};

// @public
export function errorCode(error: unknown): string;

// @public
export function errorPage(code: string): string;

// @public
export interface Finding {
    readonly check: string;
    readonly found: string;
    readonly remedy: string;
    readonly severity: 'error' | 'warning' | 'info';
}

// Warning: (ae-forgotten-export) The symbol "Journal" needs to be exported by the entry point index.d.ts
//
// @public
export function flushSoon(journal: Journal | undefined): void;

// @public
export function hash128(text: string): string;

// @public
export function hashFields(fields: object, key: string): string;

// @public
export type HeartbeatReply = 'kept' | 'lost' | 'unknown';

// @public
export const HOUR_MS: number;

// @public
export function isKey(value: unknown): value is string;

// @public
export function isOutage(error: unknown): boolean;

// @public
export interface JobRef {
    readonly id: string;
    readonly queue: string;
}

// @public
export const JOBS_WAIT = "Until the ledger answers, nothing is sent: the jobs of once() wait for it, and use up no attempt (onUnavailable).";

// @public
export const KEY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// @public
export interface Ledger {
    readonly answerWithinMs?: number | undefined;
    cancel(cancellation: Cancellation): Promise<CancelReply>;
    claim(request: ClaimRequest): Promise<ClaimReply>;
    dispatch(attempt: Attempt): Promise<DispatchReply>;
    doctor?(): Promise<readonly Finding[]>;
    heartbeat(attempts: readonly Attempt[]): Promise<readonly HeartbeatReply[]>;
    list(query: {
        readonly state: 'open' | 'in-doubt';
    }): AsyncIterable<LedgerRecord>;
    onLost?(listener: (tokens: readonly string[]) => void): void;
    read(key: string): Promise<LedgerRecord | undefined>;
    release(attempt: Pick<Attempt, 'key' | 'token'>): Promise<ReleaseReply>;
    resolve(resolution: Resolution): Promise<ResolveReply>;
    settle(settlement: Settlement): Promise<SettleReply>;
    settleVia?(connection: unknown): Promise<SettleVia | undefined>;
}

// @public
export interface LedgerRecord {
    readonly atMs: number;
    readonly by?: string | undefined;
    readonly digest?: string | undefined;
    readonly fingerprint?: string | undefined;
    readonly job?: JobRef | undefined;
    readonly key: string;
    readonly lateNotSent?: true | undefined;
    readonly messageId?: string | undefined;
    readonly note?: string | undefined;
    readonly resolvedBy?: string | undefined;
    readonly result?: string | undefined;
    readonly state: RecordState;
    readonly token: string;
}

// @public
export function listRecords(keys: readonly string[] | AsyncIterable<readonly string[]>, ledger: Pick<Ledger, 'read'>, state: 'open' | 'in-doubt'): AsyncGenerator<LedgerRecord>;

// @public
export type Loss =
/** The email was sent before. */
    {
    readonly state: 'duplicate';
    readonly record: LedgerRecord;
}
/** The mail server or provider refused the email permanently. */
| {
    readonly state: 'rejected';
    readonly record: LedgerRecord;
} | {
    readonly state: 'busy';
    readonly record: LedgerRecord;
    readonly retryAfterMs: number;
} | {
    readonly state: 'in-doubt';
    readonly record: LedgerRecord;
    readonly dispatchedAgoMs: number;
} | {
    readonly state: 'cancelled';
    readonly record: LedgerRecord;
} | {
    readonly state: 'conflict';
    readonly record: LedgerRecord;
    readonly fields: readonly string[];
};

// @public
export function lossAgainst(record: LedgerRecord, input: Pick<Attempt, 'fingerprint'>, remainingMs: number): Loss;

// @public
export const MAX_BATCH = 250;

// @public
export const MAX_DURATION_MS: number;

// @public
export const MINUTE_MS: number;

// @public
export type OptionNames<T> = Readonly<Record<T extends unknown ? keyof T : never, true>>;

// Warning: (ae-forgotten-export) The symbol "EffectFunction" needs to be exported by the entry point index.d.ts
// Warning: (ae-forgotten-export) The symbol "Performed" needs to be exported by the entry point index.d.ts
//
// @public
export function performWith<R>(effect: EffectFunction<R>, options: SharedOptions, email: EmailOptions): Promise<Performed<R>>;

// @public
export type RecordState = 'claimed' | 'dispatched' | 'in-doubt' | 'sent' | 'rejected'
/** The processor decided not to send. It blocks nothing: the next claim wins over it. */
| 'skipped' | 'cancelled';

// @public
export function registerDispatcher(): void;

// @public
export type ReleaseReply = {
    readonly state: 'released' | 'in-doubt' | 'lost';
};

// @public
export interface Resolution {
    readonly by: string;
    readonly key: string;
    readonly means?: 'resolver' | 'sweeper' | 'confirm-sent' | undefined;
    readonly retentionMs: number;
    readonly token: string;
    readonly verdict: 'sent' | 'not-sent';
}

// @public
export type ResolveReply = {
    readonly state: 'resolved';
} | {
    readonly state: 'not-in-doubt';
    readonly record: LedgerRecord | undefined;
};

// @public
export function retryWhileUnavailable<T>(verb: () => Promise<T>, forMs: number, ref?: boolean): Promise<T>;

// @public
export type Settlement = Attempt & ({
    readonly outcome: 'sent';
    readonly result?: string | undefined;
    readonly messageId?: string | undefined;
    readonly note?: string | undefined;
    readonly undispatched?: true | undefined;
} | {
    readonly outcome: 'rejected' | 'skipped';
    readonly note?: string | undefined;
    readonly messageId?: string | undefined;
} | {
    readonly outcome: 'in-doubt';
    readonly note?: string | undefined;
    readonly messageId?: string | undefined;
    readonly lateNotSent?: true | undefined;
});

// @public
export type SettleReply = {
    readonly state: 'settled';
} | {
    readonly state: 'lost';
    readonly record: LedgerRecord;
};

// @public
export type SettleVia = (settlement: Settlement) => {
    readonly reply: Promise<SettleReply>;
    readonly flushed: Promise<void> | undefined;
};

// @public
export const SHARED_OPTION_NAMES: OptionNames<SharedOptions>;

// @public
export type SharedOptions = Omit<PerformOptions, keyof EmailOptions | 'waitMs'>;

// @public
export function show(value: unknown): string;

// @public
export function suggest(word: string, known: readonly string[]): string | undefined;

// @public
export function warn(code: string, message: string): void;

// @public
export function warnOfCallback(error: unknown): void;

// @public
export function warnOnce(code: string, subject: string, message: string): void;

// @public
export function withErrorPage(message: string, code: string): string;

// @public
export function withoutErrorPage(message: string): string;

// @public
export function withTimeout<T>(answer: Promise<T>, timeoutMs: number, onTimeout: () => T): Promise<T>;

// Warning: (ae-forgotten-export) The symbol "JournalEntry" needs to be exported by the entry point index.d.ts
//
// @public
export function writeEntry(journal: Journal | undefined, entry: JournalEntry): void;

