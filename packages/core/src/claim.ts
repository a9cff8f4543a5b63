import { AsyncLocalStorage } from 'node:async_hooks';

/** When the claim passes the point of no return. */
export type DispatchMode = 'before-processor' | 'at-send';

/**
 * What is known about the email:
 * - `sent`
 * - `not-sent`: surely nothing was sent.
 * - `refused`: temporarily (a 4xx reply of SMTP, HTTP 429). Nothing was sent, a retry may send.
 * - `rejected`: permanently (a 5xx reply of SMTP to the whole email). Nothing was sent.
 * - `unknown`: the email may have been sent.
 */
export type Verdict = 'sent' | 'not-sent' | 'refused' | 'rejected' | 'unknown';

const verdicts: readonly unknown[] = ['sent', 'not-sent', 'refused', 'rejected', 'unknown'];

/** @internal A verdict as programs without types give it: anything else means that the outcome is unknown. */
export function normaliseVerdict(verdict: unknown): Verdict {
  return verdicts.includes(verdict) ? (verdict as Verdict) : 'unknown';
}

/**
 * @internal A report as programs without types give it: nothing in it may fail later, where the outcome
 * of a sent email is recorded.
 */
export function normaliseReport(report: unknown): EffectReport {
  try {
    const { verdict, messageId, note, error } = report as Record<string, unknown>;
    return {
      verdict: normaliseVerdict(verdict),
      messageId: textOf(messageId),
      note: textOf(note),
      error,
    };
  } catch {
    return { verdict: 'unknown' };
  }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : undefined;
}

export interface EffectReport {
  readonly verdict: Verdict;
  readonly messageId?: string | undefined;
  /** A short code for people, such as `552` or `ETIMEDOUT`. Never text of the email. */
  readonly note?: string | undefined;
  readonly error?: unknown;
}

/** One email that is being sent, under a claim. */
export interface Effect {
  /**
   * Call and await this at the last instant before the email can leave. If it throws, do not send.
   * @throws {ClaimLostError} when another attempt has taken over, or the processor has ended.
   * @throws {SecondEmailError} when this email was already dispatched.
   * @throws {LedgerUnavailableError} when the ledger cannot answer. The claim is then released.
   */
  dispatch(): Promise<void>;
  /** Reports what became of the email. The first report decides, even if the processor throws. */
  report(report: EffectReport): void;
}

/** The claim that the running processor holds: how an email marks its point of no return. */
export interface Claim extends Effect {
  readonly key: string;
  readonly token: string;
  readonly mode: DispatchMode;
  /** The Date that every attempt of this email carries, if the caller fixed one; ms since 1970. */
  readonly emailDateMs: number | undefined;
  /** Aborts when the lease is lost. */
  readonly signal: AbortSignal;
  /**
   * Starts the one email of this claim. The claim stays open until the email is reported, even if the
   * processor ends before: report on every path, or the job never ends. `claim.dispatch()` and
   * `claim.report()` do the same for a caller that awaits its own send.
   * @throws {SecondEmailError} while another email of this claim is being sent, was sent, or may have
   *   been sent. After a report that it was not sent, the next one may start (a retry, a fallback).
   */
  begin(): Effect;
}

// All copies of this package in the process share one storage. With two, a plugin of one copy would not
// find the claim of the other, and would skip the dispatch silently.
const storageKey = Symbol.for('@sendonce/core/current-claim');
const shared = globalThis as { [storageKey]?: AsyncLocalStorage<{ readonly claim: Claim }> };
const storage = (shared[storageKey] ??= new AsyncLocalStorage());

/** The claim of the running processor, or undefined outside of one. */
export function currentClaim(): Claim | undefined {
  return storage.getStore()?.claim;
}

/** @internal Takes a getter: most processors never ask for their claim, and then none is made. */
export function runWithClaim<T>(active: { readonly claim: Claim }, run: () => T): T {
  return storage.run(active, run);
}
