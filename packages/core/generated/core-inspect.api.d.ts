// Written by `pnpm api`: the public surface of this entry point.

// @public
export function findEmails(sources: Sources, words: readonly string[]): Promise<readonly FoundEmail[]>;

// @public
export type FindQueue = (name: string) => QueueOfJobs | undefined;

// Warning: (ae-forgotten-export) The symbol "LedgerRecord" needs to be exported by the entry point index.d.ts
// Warning: (ae-forgotten-export) The symbol "JournalEntry" needs to be exported by the entry point index.d.ts
//
// @public
export function findWorker(input: Pick<LedgerRecord, 'token'>, history: readonly JournalEntry[]): string | undefined;

// @public
export function foldCopies(history: readonly JournalEntry[]): readonly StepGroup[];

// @public
export function formatDuration(ms: number, input?: {
    exact?: boolean | undefined;
}): string;

// @public
export interface FoundEmail {
    readonly history: readonly JournalEntry[];
    readonly key: string;
    readonly record: LedgerRecord | undefined;
}

// @public
export function lastLabel(history: readonly JournalEntry[]): string | undefined;

// Warning: (ae-forgotten-export) The symbol "Ledger" needs to be exported by the entry point index.d.ts
//
// @public
export function listAtMost(ledger: Pick<Ledger, 'list'>, state: 'open' | 'in-doubt', max?: number): Promise<Listed>;

// @public
export interface Listed {
    readonly more: boolean;
    readonly records: readonly LedgerRecord[];
    // Warning: (ae-forgotten-export) The symbol "UnreadableRecordError" needs to be exported by the entry point index.d.ts
    readonly unreadable: UnreadableRecordError | undefined;
}

// @public
export interface Overview {
    // Warning: (ae-forgotten-export) The symbol "HourCounts" needs to be exported by the entry point index.d.ts
    readonly hours: readonly HourCounts[] | undefined;
    readonly inDoubt: readonly LedgerRecord[];
    readonly more: boolean;
    readonly sending: number;
    readonly unreadable: UnreadableRecordError | undefined;
}

// @public
export function overviewOf(input: Sources, input2: {
    readonly sinceMs: number;
    readonly max?: number | undefined;
}): Promise<Overview>;

// @public
export interface QueueOfJobs {
    getJob(jobId: string): Promise<RetriedJob | undefined>;
    readonly name: string;
}

// @public
export function readEmail(input: Sources, key: string): Promise<FoundEmail>;

// @public
export interface RetriedJob {
    getState(): Promise<string>;
    retry(state?: 'failed'): Promise<void>;
}

// @public
export function retryIfFailed(job: RetriedJob): Promise<boolean>;

// @public
export function retryJob(queue: QueueOfJobs, input: Pick<LedgerRecord, 'job'>): Promise<'retried' | 'not-failed' | 'no-job'>;

// @public
export function scheduledFor(input: FoundEmail): {
    readonly dueMs: number;
    readonly isLate: boolean;
} | undefined;

// @public
export function senderOf(input: Pick<LedgerRecord, 'job' | 'by'>): string;

// @public
export interface Sources {
    // Warning: (ae-forgotten-export) The symbol "Journal" needs to be exported by the entry point index.d.ts
    readonly journal?: Journal | undefined;
    readonly ledger: Ledger;
}

// @public
export type StepGroup = readonly [JournalEntry, ...JournalEntry[]];

