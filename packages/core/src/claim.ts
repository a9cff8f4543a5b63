import { AsyncLocalStorage } from 'node:async_hooks';
import { normaliseRetryAfter } from './retry-after.ts';
import { catchRejection, warnOnce } from './warn.ts';

/**
 * When the claim passes the point of no return.
 * See {@link PerformOptions.dispatch}.
 */
export type DispatchMode = 'before-processor' | 'at-send';

/**
 * What is known about the email:
 * - `sent`
 * - `not-sent`: nothing was sent, with certainty.
 * - `refused`: temporarily (a 4xx reply of SMTP, HTTP 429). Nothing was sent, a retry may send.
 * - `rejected`: permanently (a 5xx reply of SMTP to the whole email). Nothing was sent.
 * - `unknown`: the email may have been sent.
 *
 * See {@link EffectReport}.
 */
export type Verdict = 'sent' | 'not-sent' | 'refused' | 'rejected' | 'unknown';

const verdicts: readonly unknown[] = ['sent', 'not-sent', 'refused', 'rejected', 'unknown'];

/**
 * @internal A verdict as programs without types give it: anything else means that the outcome is
 * unknown.
 */
export function normaliseVerdict(verdict: unknown): Verdict {
  return verdicts.includes(verdict) ? (verdict as Verdict) : 'unknown';
}

/**
 * @internal A report as programs without types give it. Nothing in it may fail later, where the
 * outcome of a sent email is recorded: a number becomes text, and what no ledger can keep is left
 * out.
 */
export function normaliseReport(report: unknown): EffectReport {
  return {
    verdict: normaliseVerdict(fieldOf(report, 'verdict')),
    messageId: textOf(report, 'messageId'),
    note: textOf(report, 'note'),
    refused: textOf(report, 'refused'),
    error: fieldOf(report, 'error'),
    retryAfterMs: normaliseRetryAfter(fieldOf(report, 'retryAfterMs')),
  };
}

// Both are stored and shown. PostgreSQL keeps no NUL, no store keeps half a character, and a note
// with an address is a text of the mail server.
const code = /^[^@\p{C}]{0,200}$/u;
const forms = { messageId: /^[^\p{Cc}\p{Cs}]{0,998}$/u, note: code, refused: code };

function textOf(report: unknown, field: keyof typeof forms): string | undefined {
  const value = fieldOf(report, field);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value === 'string' && forms[field].test(value)) return value;
  warnOnce(
    'SENDONCE_REPORT',
    field,
    `sendonce left "${field}" out of a report about an email: ${field === 'messageId' ? 'it is no text that can be kept' : 'it is no short code'}. ` +
      'The outcome is recorded without it.',
  );
  return undefined;
}

/** A getter may throw, and a report may be no object at all. */
function fieldOf(report: unknown, field: keyof EffectReport): unknown {
  try {
    const value: unknown = (report as Partial<EffectReport> | null | undefined)?.[field];
    if (field !== 'error') catchRejection(value, () => {});
    return value;
  } catch {
    return undefined;
  }
}

/** What happened to one email, for {@link Effect.report}. */
export interface EffectReport {
  /** Whether the email was sent. */
  readonly verdict: Verdict;
  /** The Message-ID of the email, with its angle brackets. */
  readonly messageId?: string | undefined;
  /** A short code for people, such as `552` or `ETIMEDOUT`. Never text of the email. */
  readonly note?: string | undefined;
  /**
   * Of an email that was sent: which of its recipients were refused and do not get it, as counts
   * and codes: `cc 550, bcc 451 x2`. Never an address. It becomes the note of the record
   * (`refused: cc 550, bcc 451 x2`), and the event `partly-refused` is emitted.
   */
  readonly refused?: string | undefined;
  /**
   * What the transport threw. It is the cause of an {@link InDoubtError} or {@link RejectedError}.
   */
  readonly error?: unknown;
  /**
   * Of `refused`: how long the provider asks to wait before the next attempt, in milliseconds, such
   * as its `Retry-After`. More than a day counts as a day, and what is no such number as none.
   * @default none
   */
  readonly retryAfterMs?: number | undefined;
}

/**
 * One email that is being sent, under a claim.
 *
 * @example
 * const email = claim.begin();
 * await email.dispatch();
 * await send(notice).then(
 *   () => email.report({ verdict: 'sent' }),
 *   (error) => email.report({ verdict: 'unknown', error }),
 * );
 */
export interface Effect {
  /**
   * Call and await this at the last instant before the email can leave. If it throws, do not send.
   * @throws {ClaimLostError} when another attempt has taken over, the processor has ended, or the
   *   time of the email is over ({@link PerformOptions.notAfterMs}).
   * @throws {SecondEmailError} when this email was already dispatched.
   * @throws {LedgerUnavailableError} when the ledger cannot answer. The claim is then released.
   */
  dispatch(): Promise<void>;
  /** Reports what happened to the email. The first report decides, even if the processor throws. */
  report(report: EffectReport): void;
}

/** The claim that the running processor holds: how an email marks its point of no return. */
export interface Claim extends Effect {
  /** Which email: from {@link deriveKey}. Give it to a provider as the idempotency key. */
  readonly key: string;
  /** Which attempt to send it: 16 characters. */
  readonly token: string;
  /** When this email passes the point of no return. */
  readonly mode: DispatchMode;
  /** The Date that every attempt of this email carries, if the caller fixed one; ms since 1970. */
  readonly emailDateMs: number | undefined;
  /** Aborts when the lease is lost. */
  readonly signal: AbortSignal;
  /**
   * Starts the one email of this claim. The claim stays open until the email is reported, even if
   * the processor ends before: report on every path, or the job never ends. `claim.dispatch()` and
   * `claim.report()` do the same for a caller that awaits its own send.
   * @throws {SecondEmailError} while another email of this claim is being sent, was sent, or may
   *   have been sent. After a report that it was not sent, the next one may start (a retry, a
   *   fallback).
   */
  begin(): Effect;
  /**
   * Decides not to send: return what this returns. The email is recorded as `skipped`, which blocks
   * nothing, and `perform()` resolves with `skipped`. Nothing can be sent under the claim any more.
   *
   * @param reason a short code for people, 1 to 100 characters, never an address: `unsubscribed`.
   * @returns a mark. Its type is `never`, so that the type of the effect's result stays as it is.
   * @throws {SkipError} for a reason that cannot be stored, after an email that may have left, and
   *   for a second skip.
   *
   * @example
   * perform(async (claim) => {
   *   if (customer.unsubscribed) return claim.skip('unsubscribed');
   *   return transporter.sendMail(notice);
   * }, options);
   */
  skip(reason: string): never;
}

/** @internal A claim whose effect is running. */
export interface RunningClaim {
  /** Made on demand: most processors never ask for their claim. */
  readonly claim: Claim;
  /** Gets each POST. */
  noteRequest?(host: string, path: string): void;
}

// All copies of this package in the process share one storage. With two, a plugin of one copy would
// not find the claim of the other, and would skip the dispatch silently.
const storageKey = Symbol.for('@sendonce/core/current-claim');
const shared = globalThis as { [storageKey]?: AsyncLocalStorage<RunningClaim> };
const storage = (shared[storageKey] ??= new AsyncLocalStorage());

// One for all copies, too.
const dispatchersKey = Symbol.for('@sendonce/core/has-dispatcher');
const dispatchers = globalThis as { [dispatchersKey]?: true };

/**
 * For plugins and transports that call {@link Claim.begin} on their own: this process has one. From
 * then on an `at-send` attempt that ends without a dispatch is known to have sent nothing.
 */
export function registerDispatcher(): void {
  dispatchers[dispatchersKey] = true;
}

/** @internal */
export function hasDispatcher(): boolean {
  return dispatchers[dispatchersKey] === true;
}

/**
 * The claim of the running processor, or undefined outside of one.
 *
 * @example await currentClaim()?.dispatch();
 */
export function currentClaim(): Claim | undefined {
  return storage.getStore()?.claim;
}

/** @internal */
export function runningClaim(): RunningClaim | undefined {
  return storage.getStore();
}

/** @internal */
export function runWithClaim<T>(active: RunningClaim, run: () => T): T {
  return storage.run(active, run);
}
