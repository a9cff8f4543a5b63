// Written by `pnpm api`: the public surface of this entry point.

// @public
export class AddressError extends SendonceError {
    constructor(field: string, what: string);
    readonly field: string;
    // (undocumented)
    readonly name = "AddressError";
}

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
export class BusyError extends SendonceError {
    constructor(key: string, retryAfterMs: number);
    // (undocumented)
    readonly name = "BusyError";
    readonly retryAfterMs: number;
}

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
export interface Claim extends Effect {
    begin(): Effect;
    readonly emailDateMs: number | undefined;
    readonly key: string;
    readonly mode: DispatchMode;
    readonly signal: AbortSignal;
    skip(reason: string): never;
    readonly token: string;
}

// @public
export class ClaimLostError extends SendonceError {
    constructor(message: string);
    // (undocumented)
    readonly name = "ClaimLostError";
}

// @public
export type ClaimReply = {
    readonly state: 'won';
} | Loss;

// @public
export interface ClaimRequest extends Attempt {
    readonly dispatched?: boolean | undefined;
}

// @public
export type ConfirmedEmail = ({
    readonly key: string;
    readonly messageId?: undefined;
} | {
    readonly messageId: string;
    readonly key?: undefined;
}) & {
    readonly by: string;
    readonly retentionMs?: number | undefined;
};

// @public
export function confirmSent(input: Sources, confirmed: ConfirmedEmail): Promise<ResolveReply>;

// @public
export function currentClaim(): Claim | undefined;

// @public
export const DEFAULT_LEASE_MS = 30000;

// @public
export const DEFAULT_MAX_RESULT_BYTES = 16384;

// @public
export const DEFAULT_RETENTION_MS: number;

// @public
export function deriveKey(value: unknown): string;

// @public
export type DispatchMode = 'before-processor' | 'at-send';

// @public
export type DispatchReply = {
    readonly state: 'dispatched';
} | {
    readonly state: 'expired';
} | Loss;

// @public
export interface Effect {
    dispatch(): Promise<void>;
    report(report: EffectReport): void;
}

// @public
export interface EffectReport {
    readonly error?: unknown;
    readonly messageId?: string | undefined;
    readonly note?: string | undefined;
    readonly refused?: string | undefined;
    readonly retryAfterMs?: number | undefined;
    readonly verdict: Verdict;
}

// @public
export type ErrorCode = keyof ErrorsByCode;

// @public
export interface ErrorsByCode {
    SENDONCE_ADDRESS: AddressError;
    SENDONCE_BUSY: BusyError;
    SENDONCE_CLAIM_LOST: ClaimLostError;
    SENDONCE_CONFLICT: KeyConflictError;
    SENDONCE_IN_DOUBT: InDoubtError;
    SENDONCE_KEY: KeyError;
    SENDONCE_KEY_CHANGED: KeyChangedError;
    SENDONCE_LEDGER_UNAVAILABLE: LedgerUnavailableError;
    SENDONCE_NOT_RECORDED: NotRecordedError;
    SENDONCE_NOT_SENT: NotSentError;
    SENDONCE_OPTION: OptionError;
    SENDONCE_PROCESSOR: ProcessorError;
    SENDONCE_PROVIDER: SendonceError;
    SENDONCE_QUORUM: SendonceError;
    SENDONCE_RECIPIENTS: RecipientsError;
    SENDONCE_REJECTED: RejectedError;
    SENDONCE_RESULT: ResultError;
    SENDONCE_SCHEDULE: ScheduleError;
    SENDONCE_SECOND_EMAIL: SecondEmailError;
    SENDONCE_SKIP: SkipError;
    SENDONCE_UNDISPATCHED: UndispatchedError;
    SENDONCE_UNREADABLE_RECORD: UnreadableRecordError;
    SENDONCE_USAGE: SendonceError;
}

// @public
export interface Finding {
    readonly check: string;
    readonly found: string;
    readonly remedy: string;
    readonly severity: 'error' | 'warning' | 'info';
}

// @public
export function fingerprintOf(payload: unknown, key: string): string;

// @public
export interface FoundOut {
    readonly by: string;
    readonly key: string;
    readonly means?: Resolution['means'];
    readonly retentionMs?: number | undefined;
    readonly token: string;
    readonly verdict: 'sent' | 'not-sent';
    readonly why?: string | undefined;
}

// @public
export type HeartbeatReply = 'kept' | 'lost' | 'unknown';

// @public
export interface HourCounts {
    readonly counts: Readonly<Partial<Record<JournalType, number>>>;
    readonly hourMs: number;
}

// @public
export class InDoubtError extends SendonceError {
    constructor(record: LedgerRecord, cause?: unknown);
    // (undocumented)
    readonly name = "InDoubtError";
    readonly record: LedgerRecord;
}

// @public
export function isSendonceError(error: unknown): error is SendonceError;

// @public (undocumented)
export function isSendonceError<Code extends ErrorCode>(error: unknown, code: Code): error is ErrorsByCode[Code];

// @public
export function jobIdOf(key: string): string;

// @public
export interface JobRef {
    readonly id: string;
    readonly queue: string;
}

// @public
export interface Journal {
    counts(fromMs: number): Promise<readonly HourCounts[]>;
    find(text: string): Promise<readonly string[]>;
    flush(): Promise<void>;
    history(key: string): Promise<readonly JournalEntry[]>;
    write(entry: JournalEntry): void;
}

// @public
export interface JournalEntry {
    readonly atMs: number;
    readonly by?: string | undefined;
    readonly dueMs?: number | undefined;
    readonly job?: JobRef | undefined;
    readonly key: string;
    readonly label?: string | undefined;
    readonly messageId?: string | undefined;
    readonly note?: string | undefined;
    readonly token?: string | undefined;
    readonly type: JournalType;
    readonly worker?: string | undefined;
}

// @public
export type JournalType = PerformEvent['type'] | 'scheduled' | 'rescheduled' | 'resolved-sent' | 'resolved-not-sent';

// @public
export class KeyChangedError extends SendonceError {
    constructor(key: string, fields: readonly string[]);
    readonly fields: readonly string[];
    // (undocumented)
    readonly name = "KeyChangedError";
}

// @public
export class KeyConflictError extends SendonceError {
    constructor(fields: readonly string[], record: LedgerRecord);
    readonly fields: readonly string[];
    // (undocumented)
    readonly name = "KeyConflictError";
    readonly record: LedgerRecord;
}

// @public
export class KeyError extends SendonceError {
    constructor(message: string);
    // (undocumented)
    readonly name = "KeyError";
}

// @public
export function keyOfMessageId(messageId: string): string | undefined;

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
export class LedgerUnavailableError extends SendonceError {
    constructor(message: string, cause?: unknown, input?: {
        readonly mayHaveLeft?: MayHaveLeft;
        readonly isClosed?: boolean;
    });
    readonly isClosed: boolean;
    // (undocumented)
    readonly name = "LedgerUnavailableError";
}

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
export type MayHaveLeft = 'no' | 'yes' | 'maybe';

// @public
export function memoryLedger(options?: MemoryLedgerOptions): Ledger;

// @public
export interface MemoryLedgerOptions {
    readonly now?: (() => number) | undefined;
}

// @public
export function messageIdOf(key: string, domain: string): string;

// @public
export class NotRecordedError extends SendonceError {
    constructor(key: string, mayHaveLeft: MayHaveLeft, cause: unknown, input?: {
        readonly cancelled?: boolean;
    });
    // (undocumented)
    readonly name = "NotRecordedError";
}

// @public
export class NotSentError extends SendonceError {
    constructor(message: string, options?: {
        cause?: unknown;
    });
    // (undocumented)
    readonly name = "NotSentError";
}

// @public
export class OptionError extends SendonceError {
    constructor(option: string, message: string);
    // (undocumented)
    readonly name = "OptionError";
    readonly option: string;
}

// @public
export function perform<R>(effect: (claim: Claim) => Promise<R> | R, options: PerformOptions): Promise<Performed<R>>;

// Warning: (ae-forgotten-export) The symbol "LossWithMore" needs to be exported by the entry point index.d.ts
//
// @public
export type Performed<R> = {
    readonly state: 'sent';
    readonly value: R;
    readonly resultError?: ResultError | undefined;
}
/** The effect decided not to send, or the time of the email was over (`not-after`). */
| {
    readonly state: 'skipped';
    readonly reason: string;
} | Exclude<Loss, {
    state: WithMore;
}> | LossWithMore<R>;

// @public
export interface PerformEvent {
    readonly by: string | undefined;
    readonly job: JobRef | undefined;
    readonly key: string;
    readonly messageId?: string | undefined;
    readonly note?: string | undefined;
    readonly retryAfterMs?: number | undefined;
    readonly token: string;
    readonly type: 'claimed' | 'dispatched' | Performed<unknown>['state'] | 'released'
    /** An email in doubt is performed again, within `replayWithinMs`. */
    | 'replayed'
    /** The lease was lost while the effect ran. */
    | 'lost'
    /** The mode is `at-send`, and the effect ended without a dispatch: is the plugin missing? */
    | 'undispatched'
    /**
    * An email was about to leave after its effect had ended, and was not sent: is an `await`
    * missing?
    */
    | 'late-send'
    /** A duplicate was made of other data than the email that was sent: is its key too wide? */
    | 'different-data'
    /**
    * A second POST went to the same host and path while the email was being sent: was it sent
    * twice?
    */
    | 'repeated'
    /** The email was sent, and its result cannot be kept for duplicates: too large, or not JSON. */
    | 'result-dropped'
    /**
    * The email was sent, and some of its recipients were refused: they do not get it, and it is
    * not sent again. `note` has the codes.
    */
    | 'partly-refused'
    /** The ledger did not answer the claim or the dispatch. Nothing was sent. */
    | 'unavailable'
    /**
    * The email was dispatched or may have left, and the ledger did not take its outcome: it may be
    * listed in doubt. Alert on it.
    */
    | 'unrecorded';
}

// @public
export interface PerformOptions {
    readonly by?: string | undefined;
    readonly classify?: ((error: unknown) => Verdict | undefined) | undefined;
    readonly digest?: string | undefined;
    readonly dispatch?: DispatchMode | undefined;
    readonly emailDateMs?: number | undefined;
    readonly fingerprint?: string | undefined;
    readonly job?: JobRef | undefined;
    readonly journal?: Journal | undefined;
    readonly key: string;
    readonly label?: string | undefined;
    readonly leaseMs?: number | undefined;
    readonly ledger: Ledger;
    readonly maxResultBytes?: number | undefined;
    readonly notAfterMs?: number | undefined;
    readonly onEvent?: ((event: PerformEvent) => unknown) | undefined;
    readonly onRepeatedRequest?: 'warn' | 'ignore' | undefined;
    readonly replayWithinMs?: number | undefined;
    readonly resolver?: Resolver | undefined;
    readonly retentionMs?: number | undefined;
    readonly settleVia?: SettleVia | undefined;
    readonly testMode?: boolean | undefined;
    readonly undispatched?: Undispatched | undefined;
    readonly waitMs?: number | undefined;
}

// @public
export class ProcessorError extends SendonceError {
    constructor(mayHaveLeft: MayHaveLeft, message: string);
    // (undocumented)
    readonly name = "ProcessorError";
}

// @public
export class RecipientsError extends SendonceError {
    constructor(count: number, expected?: 'one' | 'to');
    readonly count: number;
    // (undocumented)
    readonly name = "RecipientsError";
}

// @public
export type RecordState = 'claimed' | 'dispatched' | 'in-doubt' | 'sent' | 'rejected'
/** The processor decided not to send. It blocks nothing: the next claim wins over it. */
| 'skipped' | 'cancelled';

// @public
export class RejectedError extends SendonceError {
    constructor(record: LedgerRecord, cause?: unknown);
    // (undocumented)
    readonly name = "RejectedError";
    readonly record: LedgerRecord;
}

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
export function resolveEmail(input: Sources, found: FoundOut): Promise<ResolveReply>;

// @public
export type Resolver = (doubt: {
    readonly record: LedgerRecord;
    readonly error?: unknown;
}) => Promise<ResolverVerdict>;

// @public
export type ResolveReply = {
    readonly state: 'resolved';
} | {
    readonly state: 'not-in-doubt';
    readonly record: LedgerRecord | undefined;
};

// @public
export type ResolverVerdict = 'sent' | 'not-sent' | 'unknown';

// @public
export class ResultError extends SendonceError {
    constructor(message: string, cause?: unknown);
    // (undocumented)
    readonly name = "ResultError";
}

// @public
export class ScheduleError extends SendonceError {
    constructor(message: string, mayHaveLeft?: MayHaveLeft, input?: {
        readonly cause?: unknown;
        readonly answers?: readonly unknown[];
    });
    readonly answers: readonly unknown[] | undefined;
    // (undocumented)
    readonly name = "ScheduleError";
}

// @public
export class SecondEmailError extends SendonceError {
    constructor(key: string);
    // (undocumented)
    readonly name = "SecondEmailError";
}

// @public
export class SendonceError extends Error {
    constructor(code: ErrorCode, mayHaveLeft: MayHaveLeft, message: string, cause?: unknown);
    readonly code: ErrorCode;
    readonly mayHaveLeft: MayHaveLeft;
    // (undocumented)
    readonly name: string;
}

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
export class SkipError extends SendonceError {
    constructor(mayHaveLeft: MayHaveLeft, message: string);
    // (undocumented)
    readonly name = "SkipError";
}

// @public
export interface Sources {
    readonly journal?: Journal | undefined;
    readonly ledger: Ledger;
}

// @public
export type Undispatched = 'in-doubt' | 'sent' | 'skipped';

// @public
export class UndispatchedError extends SendonceError {
    constructor(cause?: unknown);
    // (undocumented)
    readonly name = "UndispatchedError";
}

// @public
export class UnreadableRecordError extends SendonceError {
    constructor(key: string, where: string);
    readonly key: string;
    // (undocumented)
    readonly name = "UnreadableRecordError";
}

// @public
export type Verdict = 'sent' | 'not-sent' | 'refused' | 'rejected' | 'unknown';

// Warnings were encountered during analysis:
//
// packages/core/src/perform-options.ts - (ae-forgotten-export) The symbol "WithMore" needs to be exported by the entry point index.d.ts

