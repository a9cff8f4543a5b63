// Written by `pnpm api`: the public surface of this entry point.

import { AddressError } from '@sendonce/core';
import { Attempt } from '@sendonce/core';
import { BusyError } from '@sendonce/core';
import { Cancellation } from '@sendonce/core';
import { Claim } from '@sendonce/core';
import { ClaimLostError } from '@sendonce/core';
import { ClaimRequest } from '@sendonce/core';
import { ConfirmedEmail } from '@sendonce/core';
import { confirmSent } from '@sendonce/core';
import { currentClaim } from '@sendonce/core';
import { deriveKey } from '@sendonce/core';
import { DispatchMode } from '@sendonce/core';
import { Effect } from '@sendonce/core';
import { EffectReport } from '@sendonce/core';
import { ErrorCode } from '@sendonce/core';
import { ErrorsByCode } from '@sendonce/core';
import { Finding } from '@sendonce/core';
import { fingerprintOf } from '@sendonce/core';
import { FoundOut } from '@sendonce/core';
import { HourCounts } from '@sendonce/core';
import { InDoubtError } from '@sendonce/core';
import { isSendonceError } from '@sendonce/core';
import { Job } from 'bullmq';
import { jobIdOf } from '@sendonce/core';
import { JobRef } from '@sendonce/core';
import type { JobsOptions } from 'bullmq';
import { Journal } from '@sendonce/core';
import { JournalEntry } from '@sendonce/core';
import { JournalType } from '@sendonce/core';
import { KeyChangedError } from '@sendonce/core';
import { KeyConflictError } from '@sendonce/core';
import { KeyError } from '@sendonce/core';
import { keyOfMessageId } from '@sendonce/core';
import { Ledger } from '@sendonce/core';
import { LedgerRecord } from '@sendonce/core';
import { LedgerUnavailableError } from '@sendonce/core';
import { Loss } from '@sendonce/core';
import { MayHaveLeft } from '@sendonce/core';
import { memoryLedger } from '@sendonce/core';
import { MemoryLedgerOptions } from '@sendonce/core';
import { messageIdOf } from '@sendonce/core';
import { NotRecordedError } from '@sendonce/core';
import { NotSentError } from '@sendonce/core';
import { OptionError } from '@sendonce/core';
import { perform } from '@sendonce/core';
import { Performed } from '@sendonce/core';
import { PerformEvent } from '@sendonce/core';
import { PerformOptions } from '@sendonce/core';
import { Processor } from 'bullmq';
import { ProcessorError } from '@sendonce/core';
import { QueueOfJobs } from '@sendonce/core/inspect';
import { RecipientsError } from '@sendonce/core';
import { RecordState } from '@sendonce/core';
import { RejectedError } from '@sendonce/core';
import { Resolution } from '@sendonce/core';
import { resolveEmail } from '@sendonce/core';
import { Resolver } from '@sendonce/core';
import { ResolverVerdict } from '@sendonce/core';
import { ResultError } from '@sendonce/core';
import { ScheduleError } from '@sendonce/core';
import { SecondEmailError } from '@sendonce/core';
import { SendonceError } from '@sendonce/core';
import { Settlement } from '@sendonce/core';
import { SettleVia } from '@sendonce/core';
import { SkipError } from '@sendonce/core';
import { Sources } from '@sendonce/core';
import { Undispatched } from '@sendonce/core';
import { UndispatchedError } from '@sendonce/core';
import { UnreadableRecordError } from '@sendonce/core';
import { Verdict } from '@sendonce/core';
import { Worker } from 'bullmq';
import { WorkerOptions } from 'bullmq';

export { AddressError }

// @public
export interface Assumed {
    readonly option: string;
    readonly source: string;
    readonly value: number | string | boolean;
}

export { Attempt }

export { BusyError }

export { Cancellation }

// @public
export type Cancelled = {
    readonly key: string;
} & ({
    readonly state: 'cancelled';
}
/** The email was dispatched before the cancellation. `email` is its status. */
| {
    readonly state: 'too-late';
    readonly email: EmailStatus;
});

// @public
export interface CancelOptions extends WhichEmail {
    readonly by?: string | undefined;
}

export { Claim }

export { ClaimLostError }

export { ClaimRequest }

export { ConfirmedEmail }

export { confirmSent }

export { currentClaim }

// @public
export interface DelayedEmails<D, K extends Partial<D> = D> {
    cancel(email: EmailRef<K>, options?: CancelOptions): Promise<Cancelled>;
    cancelBulk(emails: readonly EmailRef<K>[], options?: CancelOptions): Promise<Cancelled[]>;
    flowJob(data: D, options: ScheduleOptions): Promise<FlowEmail<D>>;
    keyOf(email: EmailRef<K>, options?: WhichEmail): string;
    // Warning: (ae-forgotten-export) The symbol "RescheduleOptions" needs to be exported by the entry point index.d.ts
    reschedule(email: EmailRef<K>, options: RescheduleOptions): Promise<Rescheduled>;
    rescheduleBulk(emails: readonly ({
        readonly email: EmailRef<K>;
    } & RescheduleOptions)[]): Promise<Rescheduled[]>;
    schedule(data: D, options: ScheduleOptions): Promise<Scheduled>;
    scheduleBulk(emails: readonly ({
        readonly data: D;
    } & ScheduleOptions)[]): Promise<Scheduled[]>;
    scheduleEach(emails: Iterable<{
        readonly data: D;
    } & ScheduleOptions> | AsyncIterable<{
        readonly data: D;
    } & ScheduleOptions>): AsyncGenerator<Scheduled, void, undefined>;
    status(email: EmailRef<K>, options?: WhichEmail): Promise<EmailStatus>;
    statusBulk(emails: readonly EmailRef<K>[], options?: WhichEmail): Promise<EmailStatus[]>;
}

// @public
export function delayedEmails<D, K extends Partial<D> = D>(queue: QueueLike<D>, options: DelayedEmailsOptions<D, K>): DelayedEmails<D, K>;

// @public
export interface DelayedEmailsOptions<D, K extends Partial<D> = D> {
    readonly check?: ((data: D) => void) | ((data: D) => Promise<void>) | undefined;
    readonly fingerprint?: ((data: D) => unknown) | undefined;
    readonly job?: EmailJobOptions | undefined;
    readonly journal?: Journal | undefined;
    readonly key: (data: K) => unknown;
    readonly label?: ((data: D) => string) | undefined;
    readonly ledger: Ledger;
    readonly name?: string | undefined;
    readonly pastToleranceMs?: number | undefined;
    readonly retentionMs?: number | undefined;
}

export { deriveKey }

export { DispatchMode }

// @public
export interface DoubtSweeper extends AsyncDisposable {
    close(): Promise<void>;
    sweep(): Promise<Swept>;
}

// @public
export function doubtSweeper(queue: QueueOfJobs, options: DoubtSweeperOptions): DoubtSweeper;

// @public
export interface DoubtSweeperOptions {
    readonly intervalMs?: number | undefined;
    readonly journal?: Journal | undefined;
    readonly ledger: Ledger;
    readonly onSwept?: ((swept: Swept) => void) | ((swept: Swept) => Promise<void>) | undefined;
    readonly replayWithinMs?: number | undefined;
    readonly resolver?: Resolver | undefined;
    readonly retentionMs?: number | undefined;
}

export { Effect }

export { EffectReport }

// Warning: (ae-forgotten-export) The symbol "reservedJobOptions" needs to be exported by the entry point index.d.ts
//
// @public
export type EmailJobOptions = Omit<JobsOptions, (typeof reservedJobOptions)[number]>;

// @public
export type EmailRef<K> = K | string;

// @public
export type EmailStatus = {
    readonly key: string;
} & ({
    readonly state: 'not-scheduled';
} | {
    readonly state: 'scheduled';
    readonly at: Date | undefined;
    readonly notAfter?: Date | undefined;
    readonly jobId: string;
} | {
    readonly state: 'due';
    readonly notAfter?: Date | undefined;
    readonly jobId: string;
} | {
    readonly state: 'sending';
    readonly since: Date;
} | {
    readonly state: 'sent';
    readonly at: Date;
    readonly messageId?: string | undefined;
} | {
    readonly state: 'rejected';
    readonly at: Date;
    readonly note?: string | undefined;
} | {
    readonly state: 'skipped';
    readonly at: Date;
    readonly reason: string;
} | {
    readonly state: 'in-doubt';
    readonly at: Date;
    readonly messageId?: string | undefined;
} | {
    readonly state: 'cancelled';
    readonly at: Date;
    readonly by?: string | undefined;
} | {
    readonly state: 'failed';
    readonly at: Date;
    readonly jobId: string;
});

export { ErrorCode }

export { ErrorsByCode }

// @public
export function explain(options?: ExplainOptions): Explanation;

// @public
export interface ExplainedNumbers {
    readonly backInDoubtMs: number;
    readonly doubtAfterMs: number;
    readonly lastAttemptMs: number | undefined;
    readonly longestComebackMs: number | undefined;
    readonly replayUntilMs: number | undefined;
    readonly retentionMs: number;
    readonly retriedAfterMs: number | undefined;
    readonly stallRecoveryMs: number;
}

// @public
export function explainLine(options?: ExplainOptions): string;

// @public
export interface ExplainOptions {
    // Warning: (ae-forgotten-export) The symbol "JobSetting" needs to be exported by the entry point index.d.ts
    readonly job?: Pick<JobsOptions, JobSetting> | undefined;
    // Warning: (ae-forgotten-export) The symbol "OnceSetting" needs to be exported by the entry point index.d.ts
    readonly once?: Pick<OnceOptions<JobLike>, OnceSetting> | undefined;
    readonly sdkRetries?: number | undefined;
    readonly sendTimeoutMs?: number | undefined;
    // Warning: (ae-forgotten-export) The symbol "WorkerSetting" needs to be exported by the entry point index.d.ts
    readonly worker?: Pick<WorkerOptions, WorkerSetting> | undefined;
}

// @public
export interface Explanation {
    readonly assumed: readonly Assumed[];
    readonly numbers: ExplainedNumbers;
    readonly sentences: readonly [string, string];
    readonly warnings: readonly Finding[];
}

export { Finding }

export { fingerprintOf }

// @public
export interface FlowEmail<D> {
    // (undocumented)
    readonly data: D;
    // (undocumented)
    readonly name: string;
    // (undocumented)
    readonly opts: object;
    // (undocumented)
    readonly queueName: string;
}

export { FoundOut }

export { HourCounts }

export { InDoubtError }

export { isSendonceError }

export { jobIdOf }

// @public
export interface JobLike {
    // (undocumented)
    readonly attemptsMade?: number | undefined;
    // (undocumented)
    readonly attemptsStarted?: number | undefined;
    // (undocumented)
    readonly data: any;
    // (undocumented)
    readonly id?: string | undefined;
    // (undocumented)
    log?(row: string): Promise<unknown>;
    // (undocumented)
    moveToDelayed?(timestamp: number, token?: string): Promise<void>;
    // (undocumented)
    readonly name?: string | undefined;
    // (undocumented)
    readonly opts?: {
        readonly delay?: number | undefined;
        readonly keepLogs?: number | undefined;
    } | undefined;
    // (undocumented)
    promote?(): Promise<unknown>;
    // (undocumented)
    readonly queueName?: string | undefined;
    // (undocumented)
    readonly repeatJobKey?: string | undefined;
    // (undocumented)
    readonly timestamp?: number | undefined;
}

export { JobRef }

export { Journal }

export { JournalEntry }

export { JournalType }

export { KeyChangedError }

export { KeyConflictError }

export { KeyError }

export { keyOfMessageId }

export { Ledger }

export { LedgerRecord }

export { LedgerUnavailableError }

export { Loss }

export { MayHaveLeft }

export { memoryLedger }

export { MemoryLedgerOptions }

export { messageIdOf }

export { NotRecordedError }

export { NotSentError }

// @public
export function Once<T extends object, J extends JobLike = any>(options: OnceOptions<J> | ((self: T) => OnceOptions<J>)): {
    (method: Method, context: ClassMethodDecoratorContext): Method;
    (prototype: object, name: string | symbol, descriptor: PropertyDescriptor): PropertyDescriptor;
};

// @public
export function once<J extends JobLike, R>(processor: ProcessorOf<J, R>, options: OnceOptions<J>): OnceProcessor<J, R>;

// @public
export type OnceCounters = Record<PerformEvent['type'], number>;

// @public
export interface OnceEvent<J extends JobLike> extends Omit<PerformEvent, 'job'> {
    readonly job: J;
}

// @public
export interface OnceOptions<J extends JobLike> extends Omit<PerformOptions, 'key' | 'waitMs' | 'fingerprint' | 'job' | 'digest' | 'by' | 'emailDateMs' | 'notAfterMs' | 'settleVia' | 'label' | 'onEvent'> {
    readonly fingerprint?: ((job: J) => unknown) | undefined;
    readonly key: (job: J) => unknown;
    readonly label?: ((job: J) => string) | undefined;
    readonly notAfter?: ((job: J) => Date | number | undefined) | undefined;
    readonly onBusy?: 'delay' | 'throw' | undefined;
    readonly onDifferentData?: 'warn' | 'ignore' | undefined;
    readonly onEvent?: ((event: OnceEvent<J>) => void) | ((event: OnceEvent<J>) => Promise<void>) | undefined;
    readonly onRefused?: 'throw' | 'delay' | 'rate-limit' | undefined;
    readonly onUnavailable?: 'delay' | 'throw' | undefined;
    readonly schedulerKey?: 'per-iteration' | 'complete' | undefined;
}

// @public
export interface OnceProcessor<J, R> {
    // (undocumented)
    (job: J, token?: string, signal?: AbortSignal): Promise<R | undefined>;
    (job: J, token?: string, signal?: AbortSignal): Promise<R>;
    // (undocumented)
    (job: J, token?: string, signal?: AbortSignal): Promise<R | undefined>;
    readonly counters: Readonly<OnceCounters>;
}

// @public
export class OnceWorker<D = any, R = any, N extends string = string> extends Worker<D, R, N> {
    constructor(name: string, processor: string | URL | Processor<D, R, N>, options: OnceWorkerOptions<D, R, N>, ...others: readonly unknown[]);
    protected callProcessJob(job: Job<D, R, N>, token: string, signal?: AbortSignal): Promise<R>;
}

// @public
export interface OnceWorkerOptions<D, R, N extends string> extends WorkerOptions {
    readonly once: OnceOptions<Job<D, R, N>>;
}

export { OptionError }

export { perform }

export { Performed }

export { PerformEvent }

export { PerformOptions }

export { ProcessorError }

// @public
export type ProcessorOf<J, R> = (job: J, token?: string, signal?: AbortSignal) => Promise<R>;

// @public
export interface QueueLike<D> {
    // (undocumented)
    add(name: string, data: D, opts?: object): Promise<unknown>;
    // (undocumented)
    addBulk(jobs: {
        name: string;
        data: D;
        opts?: object;
    }[]): Promise<unknown>;
    readonly backend?: object | undefined;
    readonly client?: Promise<unknown>;
    // (undocumented)
    getJob(jobId: string): Promise<StoredJob | undefined>;
    // (undocumented)
    readonly name: string;
    // (undocumented)
    readonly opts?: {
        readonly telemetry?: object | undefined;
    } | undefined;
    // (undocumented)
    toKey(type: string): string;
}

export { RecipientsError }

export { RecordState }

export { RejectedError }

// @public
export type Rescheduled = {
    readonly key: string;
} & ({
    readonly state: 'rescheduled';
    readonly at: Date;
    readonly jobId: string;
} | {
    readonly state: 'not-scheduled';
} | {
    readonly state: 'too-late';
    readonly email: EmailStatus;
});

export { Resolution }

export { resolveEmail }

export { Resolver }

export { ResolverVerdict }

export { ResultError }

// @public
export type Scheduled = {
    readonly key: string;
} & ({
    readonly state: 'scheduled';
    readonly at: Date;
    readonly jobId: string;
}
/**
* An earlier call scheduled it. The data and the times of this call were ignored. `at` is
* undefined if the email is due or its time is unknown. `notAfter` is that of the earlier call.
*/
| {
    readonly state: 'already-scheduled';
    readonly at: Date | undefined;
    readonly notAfter?: Date | undefined;
    readonly jobId: string;
} | {
    readonly state: 'already-sent';
    readonly at: Date;
    readonly messageId?: string | undefined;
}
/** The key belongs to another payload: these fields of `fingerprint` differ. */
| {
    readonly state: 'conflict';
    readonly fields: readonly string[];
} | Extract<EmailStatus, {
    state: 'sending' | 'rejected' | 'in-doubt' | 'cancelled';
}>);

export { ScheduleError }

// Warning: (ae-forgotten-export) The symbol "NotAfter" needs to be exported by the entry point index.d.ts
//
// @public
export type ScheduleOptions = When & NotAfter & WhichEmail & {
    readonly job?: EmailJobOptions | undefined;
};

export { SecondEmailError }

export { SendonceError }

export { Settlement }

export { SettleVia }

// @public
export function skipEmail(reason: string): never;

export { SkipError }

export { Sources }

// @public
export interface StoredJob {
    // (undocumented)
    changeDelay(delay: number): Promise<void>;
    // (undocumented)
    readonly data: unknown;
    // (undocumented)
    readonly delay: number;
    // (undocumented)
    readonly finishedOn?: number | undefined;
    // (undocumented)
    getChildrenValues?(): Promise<object>;
    // (undocumented)
    getState(): Promise<string>;
    // (undocumented)
    readonly id?: string | undefined;
    // (undocumented)
    readonly name: string;
    // (undocumented)
    readonly opts: {
        readonly delay?: number | undefined;
    };
    readonly parentKey?: string | undefined;
    // (undocumented)
    readonly processedOn?: number | undefined;
    // (undocumented)
    remove(options?: {
        removeChildren?: boolean;
    }): Promise<void>;
    // (undocumented)
    readonly timestamp: number;
}

// @public
export interface Swept {
    readonly busy?: true | undefined;
    readonly error?: unknown;
    readonly held: readonly LedgerRecord[];
    readonly notSent: number;
    readonly retried: number;
    readonly sent: number;
}

export { Undispatched }

export { UndispatchedError }

export { UnreadableRecordError }

export { Verdict }

// @public
export type When = {
    readonly at: Date;
    readonly delay?: undefined;
} | {
    readonly delay: number;
    readonly at?: undefined;
};

// @public
export interface WhichEmail {
    readonly occurrence?: string | number | undefined;
}

// Warnings were encountered during analysis:
//
// packages/bullmq/src/once-decorator.ts - (ae-forgotten-export) The symbol "Method" needs to be exported by the entry point index.d.ts

