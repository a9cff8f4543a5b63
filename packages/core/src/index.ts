export { perform } from './attempt/perform.ts';
export {
  type Claim,
  currentClaim,
  type DispatchMode,
  type Effect,
  type EffectReport,
  type Verdict,
} from './claim.ts';
export { type ConfirmedEmail, confirmSent } from './doubts/confirm-sent.ts';
export { type FoundOut, resolveEmail } from './doubts/resolve-email.ts';
export {
  AddressError,
  BusyError,
  ClaimLostError,
  type ErrorCode,
  type ErrorsByCode,
  InDoubtError,
  isSendonceError,
  KeyChangedError,
  KeyConflictError,
  KeyError,
  LedgerUnavailableError,
  type MayHaveLeft,
  NotRecordedError,
  NotSentError,
  OptionError,
  ProcessorError,
  RecipientsError,
  RejectedError,
  ResultError,
  ScheduleError,
  SecondEmailError,
  SendonceError,
  SkipError,
  UndispatchedError,
  UnreadableRecordError,
} from './errors.ts';
export { fingerprintOf } from './fingerprint.ts';
export type { Sources } from './inspect/find-emails.ts';
export type { HourCounts, Journal, JournalEntry, JournalType } from './journal.ts';
export { deriveKey, jobIdOf, keyOfMessageId, messageIdOf } from './keys.ts';
export type {
  Attempt,
  Cancellation,
  ClaimRequest,
  Finding,
  Ledger,
  Resolution,
  Settlement,
  SettleVia,
} from './ledger.ts';
export { memoryLedger, type MemoryLedgerOptions } from './memory-ledger.ts';
export {
  DEFAULT_LEASE_MS,
  DEFAULT_MAX_RESULT_BYTES,
  DEFAULT_RETENTION_MS,
  type Performed,
  type PerformEvent,
  type PerformOptions,
  type Resolver,
  type ResolverVerdict,
  type Undispatched,
} from './perform-options.ts';
export type {
  CancelReply,
  ClaimReply,
  DispatchReply,
  HeartbeatReply,
  JobRef,
  LedgerRecord,
  Loss,
  RecordState,
  ReleaseReply,
  ResolveReply,
  SettleReply,
} from './record.ts';
