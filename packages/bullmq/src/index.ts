export {
  type Attempt,
  AddressError,
  BusyError,
  type Cancellation,
  type Claim,
  ClaimLostError,
  type ClaimRequest,
  type ConfirmedEmail,
  confirmSent,
  currentClaim,
  deriveKey,
  type DispatchMode,
  type Effect,
  type EffectReport,
  type ErrorCode,
  type ErrorsByCode,
  type Finding,
  fingerprintOf,
  type FoundOut,
  type HourCounts,
  InDoubtError,
  isSendonceError,
  jobIdOf,
  type JobRef,
  type Journal,
  type JournalEntry,
  type JournalType,
  KeyChangedError,
  KeyConflictError,
  KeyError,
  keyOfMessageId,
  type Ledger,
  type LedgerRecord,
  LedgerUnavailableError,
  type Loss,
  type MayHaveLeft,
  memoryLedger,
  type MemoryLedgerOptions,
  messageIdOf,
  NotRecordedError,
  NotSentError,
  OptionError,
  perform,
  type Performed,
  type PerformEvent,
  type PerformOptions,
  ProcessorError,
  RecipientsError,
  type RecordState,
  RejectedError,
  type Resolution,
  resolveEmail,
  type Resolver,
  type ResolverVerdict,
  ResultError,
  ScheduleError,
  SecondEmailError,
  SendonceError,
  type Settlement,
  type SettleVia,
  SkipError,
  type Sources,
  type Undispatched,
  UndispatchedError,
  UnreadableRecordError,
  type Verdict,
} from '@sendonce/core';
export { once, type OnceProcessor, type ProcessorOf } from './once.ts';
export { skipEmail } from './skip-email.ts';
export { Once } from './once-decorator.ts';
export { OnceWorker, type OnceWorkerOptions } from './once-worker.ts';
export type { JobLike, OnceCounters, OnceEvent, OnceOptions } from './options.ts';
export { type Cancelled } from './cancel-email.ts';
export {
  type DelayedEmails,
  delayedEmails,
  type EmailRef,
  type FlowEmail,
} from './delayed-emails.ts';
export type {
  CancelOptions,
  DelayedEmailsOptions,
  EmailJobOptions,
  ScheduleOptions,
  WhichEmail,
} from './delayed-emails-options.ts';
export type { QueueLike, StoredJob } from './email-jobs.ts';
export type { EmailStatus } from './email-status.ts';
export type { Rescheduled } from './reschedule-email.ts';
export type { Scheduled } from './schedule-email.ts';
export type { When } from './when.ts';
export {
  type DoubtSweeper,
  doubtSweeper,
  type DoubtSweeperOptions,
  type Swept,
} from './doubt-sweeper.ts';
export { type Explanation, explain, explainLine } from './explain.ts';
export type { ExplainedNumbers } from './explain-numbers.ts';
export type { Assumed, ExplainOptions } from './explain-options.ts';
