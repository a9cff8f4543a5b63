// Written by `pnpm api`: the public surface of this entry point.

// Warning: (ae-forgotten-export) The symbol "Ledger" needs to be exported by the entry point index.d.ts
//
// @public
export function chooseDoubts(ledger: Pick<Ledger, 'list'>, filter: DoubtFilter, max?: number): Promise<ChosenDoubts>;

// Warning: (ae-forgotten-export) The symbol "LedgerRecord" needs to be exported by the entry point index.d.ts
//
// @public
export type ChosenDoubt = Pick<LedgerRecord, 'key' | 'token' | 'atMs' | 'job'> & {
    readonly cause: string;
};

// @public
export interface ChosenDoubts {
    readonly doubts: readonly ChosenDoubt[];
    readonly more: boolean;
    // Warning: (ae-forgotten-export) The symbol "UnreadableRecordError" needs to be exported by the entry point index.d.ts
    readonly unreadable: UnreadableRecordError | undefined;
}

// @public
export function countDoubts(doubts: readonly Pick<ChosenDoubt, 'cause' | 'job' | 'atMs'>[], nowMs?: number): DoubtCounts;

// @public
export function describeCause(input: Pick<LedgerRecord, 'note' | 'lateNotSent'>): string;

// @public
export interface DoubtCount {
    readonly count: number;
    readonly name: string;
}

// @public
export interface DoubtCounts {
    readonly ages: readonly DoubtCount[];
    readonly causes: readonly DoubtCount[];
    readonly queues: readonly DoubtCount[];
}

// @public
export interface DoubtFilter {
    readonly causes?: readonly string[] | undefined;
    readonly queues?: readonly string[] | undefined;
    readonly sinceMs?: number | undefined;
    readonly untilMs?: number | undefined;
}

// @public
export function findEmails(sources: Sources, words: readonly string[]): Promise<readonly FoundEmail[]>;

// @public
export type FindQueue = (name: string) => QueueOfJobs | undefined;

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

// @public
export function listAtMost(ledger: Pick<Ledger, 'list'>, state: 'open' | 'in-doubt', max?: number): Promise<Listed>;

// @public
export interface Listed {
    readonly more: boolean;
    readonly records: readonly LedgerRecord[];
    readonly unreadable: UnreadableRecordError | undefined;
}

// @public
export interface ManyResolved {
    readonly counts: Readonly<Record<VerdictResult, number>>;
    // Warning: (ae-forgotten-export) The symbol "LedgerUnavailableError" needs to be exported by the entry point index.d.ts
    readonly error: LedgerUnavailableError | undefined;
    readonly notReached: number;
    readonly problems: readonly VerdictProblem[];
    readonly resolved: number;
}

// Warning: (ae-forgotten-export) The symbol "FoundOut" needs to be exported by the entry point index.d.ts
//
// @public
export interface ManyVerdicts extends Pick<FoundOut, 'verdict' | 'by' | 'why' | 'retentionMs'> {
    readonly beforeVerdict?: ((doubt: NamedDoubt) => void) | undefined;
    readonly onResult?: ((doubt: NamedDoubt, result: VerdictResult) => void) | undefined;
    readonly retryIn?: FindQueue | undefined;
    readonly signal?: AbortSignal | undefined;
}

// @public
export function matchesFilter(record: LedgerRecord, input: DoubtFilter): boolean;

// @public
export type NamedDoubt = Pick<LedgerRecord, 'key' | 'token' | 'job'>;

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
export function resolveEmails(sources: Sources, doubts: readonly NamedDoubt[], many: ManyVerdicts): Promise<ManyResolved>;

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

// @public
export interface VerdictProblem {
    // Warning: (ae-forgotten-export) The symbol "JobRef" needs to be exported by the entry point index.d.ts
    readonly job: JobRef | undefined;
    readonly key: string;
    readonly result: VerdictResult;
}

// Warning: (ae-forgotten-export) The symbol "verdictResults" needs to be exported by the entry point index.d.ts
//
// @public
export type VerdictResult = (typeof verdictResults)[number];

