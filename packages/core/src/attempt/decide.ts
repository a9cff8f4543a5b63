import { normaliseVerdict, type Verdict } from '../claim.ts';
import { isSendonceError } from '../errors.ts';
import type { SharedOptions } from '../perform-options.ts';
import type { ClosedClaim } from './active-claim.ts';

/** How an effect ended. */
export type EffectEnd = 'returned' | 'threw';

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
   * Another attempt may have performed the email under the same token: this is a replay, or others may
   * have replayed it while this attempt was silent.
   */
  readonly isShared: boolean;
}

/** What became of the email, as far as this attempt can say. */
export type Outcome = 'lost' | 'sent' | 'not-sent' | 'rejected' | 'in-doubt';

/**
 * Decides what became of the email. Pure: the same facts give the same outcome.
 *
 * @param thrown what the error of the effect means. It counts where nothing was reported.
 */
export function decide(facts: ClaimFacts, thrown: Verdict): Outcome {
  // Nothing was sent by this attempt; the record tells what another one did.
  if (facts.isLost) return 'lost';
  const verdict = verdictOf(facts, thrown);
  if (verdict === 'sent') return 'sent';
  // A failed replay says nothing about the dispatch that it repeats.
  if (facts.isShared) return 'in-doubt';
  switch (verdict) {
    case 'not-sent':
    case 'refused':
      return 'not-sent';
    case 'rejected':
      return 'rejected';
    case 'unknown':
      return 'in-doubt';
  }
}

function verdictOf(facts: ClaimFacts, thrown: Verdict): Verdict {
  // The sender knows better than the processor: a report decides over what was thrown or returned.
  if (facts.reported !== undefined) return facts.reported;
  if (facts.end === 'returned') return 'sent';
  return facts.isDispatched ? thrown : 'not-sent';
}

/** Errors of a `perform()` within another one: they say nothing about the outer email. */
const nestedErrors = new WeakSet<object>();

export function markAsNested(error: unknown): void {
  if (typeof error === 'object' && error) nestedErrors.add(error);
}

/** What the error of the effect means, by `classify` of the options. Asked only where nothing was reported. */
export function thrownVerdict(
  { error, report, facts }: ClosedClaim<unknown>,
  { classify }: SharedOptions,
): Verdict {
  if (facts.end !== 'threw' || report || nestedErrors.has(error as object)) return 'unknown';
  if (isSendonceError(error, 'SENDONCE_NOT_SENT')) return 'not-sent';
  if (!facts.isDispatched) return 'unknown';
  try {
    const verdict: unknown = classify?.(error) ?? 'unknown';
    if (verdict instanceof Promise) verdict.catch(() => {});
    return normaliseVerdict(verdict);
  } catch {
    return 'unknown';
  }
}
