/**
 * `@sendonce/core/ledger`: for stores that implement the ledger, and for wrappers such as `once()`.
 */
export { performWith } from '../attempt/perform.ts';
export { DAY_MS, HOUR_MS, MAX_DURATION_MS, MINUTE_MS } from '../durations.ts';
export { errorCode } from '../error-code.ts';
export { digestOf } from '../digest.ts';
export { differingFields, hashFields } from '../fingerprint.ts';
export { bareMessageId, createToken, hash128, isKey, KEY_ALPHABET } from '../keys.ts';
export type {
  Attempt,
  Cancellation,
  ClaimRequest,
  Finding,
  Ledger,
  Resolution,
  Settlement,
  SettleVia,
} from '../ledger.ts';
export {
  checkLabelHasJournal,
  checkPerformOptions,
  type EmailOptions,
  SHARED_OPTION_NAMES,
  type SharedOptions,
} from '../perform-options.ts';
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
} from '../record.ts';
export { bareError } from '../bare-error.ts';
export { flushSoon, writeEntry } from '../journal.ts';
export { createSkip } from '../skip.ts';
export { registerDispatcher } from '../claim.ts';
export { errorPage, withErrorPage, withoutErrorPage } from '../errors.ts';
export { catchRejection, warn, warnOfCallback, warnOnce } from '../warn.ts';
export { isOutage, JOBS_WAIT } from '../outages.ts';
export { retryWhileUnavailable } from '../retry-while-unavailable.ts';
export {
  checkBoolean,
  checkDuration,
  checkFunction,
  checkJournal,
  checkLedger,
  checkNames,
  checkOneOf,
  checkSpelling,
  checkText,
  checkTimer,
  describe,
  type OptionNames,
  show,
} from './check-options.ts';
export { checkListState, listRecords, MAX_BATCH } from './list-records.ts';
export { lossAgainst } from './loss.ts';
export { suggest } from './suggest.ts';
export { withTimeout } from './with-timeout.ts';
