import { AsyncLocalStorage } from 'node:async_hooks';

/** When the claim goes past the point of no return. */
export type DispatchMode = 'before-processor' | 'at-send';

/**
 * What is known about the email:
 * `sent`; `not-sent` (surely, whatever broke); `refused` (for now: a 4xx reply, 429);
 * `rejected` (for good: a 5xx reply to the whole email); `unknown` (nobody knows).
 */
export type Verdict = 'sent' | 'not-sent' | 'refused' | 'rejected' | 'unknown';

export interface EffectReport {
  readonly verdict: Verdict;
  readonly messageId?: string;
  /** A short code for people, such as `552` or `ETIMEDOUT`. Never text of the email. */
  readonly note?: string;
  readonly error?: unknown;
}

/** One email on its way, under a claim. */
export interface Effect {
  /**
   * Call and await this at the last instant before the email can leave. When it throws, do not send.
   * @throws {ClaimLostError} when another attempt has taken over, or the processor had ended.
   * @throws {SecondEmailError} when this email was already dispatched.
   * @throws {LedgerUnavailableError} when the ledger cannot answer; the claim is then given back.
   */
  dispatch(): Promise<void>;
  /** Says what became of the email; this decides over whatever the processor throws. */
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
   * Starts the one email of this claim. The settling waits until its outcome is reported, even if
   * the processor does not: whoever begins must report on every path, or the job never ends. `claim.dispatch()` and `claim.report()` do the same for a caller that
   * awaits its own send.
   * @throws {SecondEmailError} while another email of this claim is on its way, or has left, or may
   *   have. After a report that it did not leave, the next one may start (a retry, a fallback).
   */
  begin(): Effect;
}

// One storage in the process whatever copy of the package asks: two would mean that a dispatch is
// skipped in silence.
const storageKey = Symbol.for('@sendonce/core/current-claim');
const shared = globalThis as { [storageKey]?: AsyncLocalStorage<{ readonly claim: Claim }> };
const storage = (shared[storageKey] ??= new AsyncLocalStorage());

/** The claim of the running processor, or undefined outside of one. */
export function currentClaim(): Claim | undefined {
  return storage.getStore()?.claim;
}

/** @internal Whose claim is made when somebody asks for it. */
export function runWithClaim<T>(held: { readonly claim: Claim }, run: () => T): T {
  return storage.run(held, run);
}
