import { normaliseVerdict, type Verdict } from '../claim.ts';
import { isSendonceError } from '../errors.ts';
import type { SharedOptions, Undispatched } from '../perform-options.ts';
import { catchRejection, warnOfCallback } from '../warn.ts';
import type { ClosedClaim } from './active-claim.ts';

/** How an effect ended. */
export type EffectEnd = 'returned' | 'skipped' | 'threw';

/** What is known of an attempt when its effect has ended. */
export interface ClaimFacts {
  readonly end: EffectEnd;
  /** What the sender reported about the email, if anything. */
  readonly reported: Verdict | undefined;
  /** The ledger refused the dispatch. */
  readonly isLost: boolean;
  /** The ledger acknowledged a dispatch. */
  readonly isDispatched: boolean;
  /**
   * Another attempt may have performed the email under the same token: this is a replay, or others
   * may have replayed it while this attempt was silent.
   */
  readonly isShared: boolean;
  /** Nothing in this process is known to dispatch: an email may have left unseen. */
  readonly isUnseen: boolean;
  readonly undispatched: Undispatched;
}

/** What happened to the email, as far as this attempt can know. */
export type Outcome =
  | 'lost'
  | 'sent'
  | 'not-sent'
  | 'refused'
  | 'rejected'
  | 'skipped'
  | 'in-doubt';

/**
 * Decides what happened to the email. Pure: the same facts give the same outcome.
 *
 * @param classified what the error means that only `classify` can explain, see
 * `classifiedVerdict()`.
 */
export function decide(facts: ClaimFacts, classified: Verdict): Outcome {
  // Nothing was sent by this attempt; the record tells what another one did.
  if (facts.isLost) return 'lost';
  const verdict = verdictOf(facts, classified);
  if (verdict === 'sent') return 'sent';
  // A failed replay says nothing about the dispatch that it repeats, and neither does one that is
  // skipped.
  if (facts.isShared) return 'in-doubt';
  return verdict === 'unknown' ? 'in-doubt' : verdict;
}

function verdictOf(facts: ClaimFacts, classified: Verdict): Verdict | 'skipped' {
  const { end, reported, isDispatched, isUnseen } = facts;
  if (reported === 'unknown') return classified;
  const isUnsent = reported === undefined || reported === 'not-sent' || reported === 'refused';
  if (end === 'skipped' && isUnsent) return 'skipped';
  // The sender knows better than the processor: a report decides over what was thrown or returned.
  if (reported !== undefined) return reported;
  if (end === 'threw') return isDispatched || isUnseen ? classified : 'not-sent';
  return isDispatched ? 'sent' : undispatchedVerdict(facts);
}

function undispatchedVerdict({ undispatched, isUnseen }: ClaimFacts): Verdict | 'skipped' {
  if (undispatched === 'sent') return 'sent';
  return undispatched === 'skipped' && !isUnseen ? 'skipped' : 'unknown';
}

/** Errors of a `perform()` within another one: they say nothing about the outer email. */
const nestedErrors = new WeakSet<object>();

export function markAsNested(error: unknown): void {
  if (typeof error === 'object' && error) nestedErrors.add(error);
}

/**
 * What `classify` of the options says where nothing else knows: about the error of a sender that
 * reported "unknown", or else about what the effect threw. If a request was repeated, the error of
 * the second one proves nothing about the first.
 */
export function classifiedVerdict(
  { error, report, facts, wasRepeated }: ClosedClaim<unknown>,
  options: SharedOptions,
): Verdict {
  const classify = wasRepeated ? undefined : options.classify;
  if (report) {
    const isUnknown = report.verdict === 'unknown' && report.error !== undefined;
    return isUnknown ? ask(classify, report.error) : 'unknown';
  }
  if (facts.end !== 'threw' || nestedErrors.has(error as object)) return 'unknown';
  if (isSendonceError(error, 'SENDONCE_NOT_SENT')) return 'not-sent';
  return facts.isDispatched || facts.isUnseen ? ask(classify, error) : 'unknown';
}

function ask(classify: SharedOptions['classify'], error: unknown): Verdict {
  try {
    const verdict: unknown = classify?.(error) ?? 'unknown';
    catchRejection(verdict, warnOfCallback);
    return normaliseVerdict(verdict);
  } catch {
    return 'unknown';
  }
}
