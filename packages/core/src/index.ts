export {
  type Claim,
  currentClaim,
  type DispatchMode,
  type Effect,
  type EffectReport,
  type Verdict,
} from './claim.ts';
export {
  AddressError,
  BusyError,
  ClaimLostError,
  type ErrorCode,
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
  RecipientsError,
  RejectedError,
  ResultError,
  ScheduleError,
  SecondEmailError,
  SendonceError,
  UnreadableRecordError,
} from './errors.ts';
export { type ConfirmedEmail, confirmSent } from './confirm-sent.ts';
export {
  findEmails,
  type FoundEmail,
  labelOf,
  readEmail,
  scheduledFor,
  type Sources,
} from './find-emails.ts';
export { differingFields, fingerprintOf } from './fingerprint.ts';
export type { HourCounts, Journal, JournalEntry, JournalType } from './journal.ts';
export { createToken, deriveKey, hash128 } from './keys.ts';
export type {
  Attempt,
  Cancellation,
  CancelReply,
  ClaimReply,
  ClaimRequest,
  DispatchReply,
  Finding,
  HeartbeatReply,
  Ledger,
  LedgerRecord,
  Loss,
  RecordState,
  ReleaseReply,
  Resolution,
  ResolveReply,
  Settlement,
  SettleOn,
  SettleReply,
} from './ledger.ts';
export { memoryLedger, type MemoryLedgerOptions } from './memory-ledger.ts';
export {
  checkDuration,
  checkFunction,
  checkJournal,
  checkLedger,
  checkOneOf,
  describe,
} from './options.ts';
export { type Overview, overviewOf } from './overview.ts';
export { perform, performChecked } from './perform.ts';
export { type FoundOut, resolveEmail } from './resolve-email.ts';
export {
  type FindQueue,
  jobIdOf,
  queueOf,
  type QueueOfJobs,
  type RetriedJob,
  retryJob,
  runAgain,
} from './retry-job.ts';
export { listAtMost, type Listed, listRecords, lossAgainst } from './store.ts';
export {
  checkPerformOptions,
  DEFAULT_LEASE_MS,
  DEFAULT_MAX_RESULT_BYTES,
  DEFAULT_RETENTION_MS,
  type EmailOptions,
  type Performed,
  type PerformEvent,
  type PerformOptions,
  type SharedOptions,
  type Resolver,
} from './perform-options.ts';
