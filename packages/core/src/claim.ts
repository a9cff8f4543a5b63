import { AsyncLocalStorage } from 'node:async_hooks';
import { nowMs } from './clock.ts';
import { ClaimLostError, SecondEmailError } from './errors.ts';
import { keepAlive } from './heartbeat.ts';
import { insist } from './insist.ts';
import type { Attempt, DispatchReply, Ledger } from './ledger.ts';

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

/** @internal What perform() sees of a claim. */
export interface HeldClaim {
  readonly claim: Claim;
  dispatched(): boolean;
  /** Whether it was silent for so long that others may have been told "in doubt", and have given up. */
  mayBeInDoubt(): boolean;
  /** The reply that forbade the dispatch. */
  loss(): Exclude<DispatchReply, { state: 'dispatched' }> | undefined;
  lastReport(): EffectReport | undefined;
  /**
   * Asks again where the answer "won, dispatched" is older than a lease: it may be older than a
   * person's "not sent". @throws {ClaimLostError}
   */
  confirm(): Promise<void>;
  /** Waits until the email on its way is reported, then forbids any further dispatch. */
  end(): Promise<void>;
  /** Stops the heartbeat. */
  drop(): void;
}

// One storage in the process whatever copy of the package asks: two would mean that a dispatch is
// skipped in silence.
const storageKey = Symbol.for('@sendonce/core/current-claim');
const shared = globalThis as { [storageKey]?: AsyncLocalStorage<Claim> };
const storage = (shared[storageKey] ??= new AsyncLocalStorage<Claim>());

/** The claim of the running processor, or undefined outside of one. */
export function currentClaim(): Claim | undefined {
  return storage.getStore();
}

/** @internal */
export function runWithClaim<T>(claim: Claim, run: () => T): T {
  return storage.run(claim, run);
}

/**
 * @internal Says "still being sent" of a dispatch that is in doubt, in the name of its token, so that others
 * wait; and looks whether that still stands there, as a heartbeat keeps a mere claim, too.
 */
export async function takeUp(ledger: Ledger, attempt: Attempt): Promise<boolean> {
  const [kept] = await ledger.heartbeat([attempt]);
  if (kept !== 'kept') return false;
  const record = await ledger.read(attempt.key);
  return record?.state === 'dispatched' && record.token === attempt.token;
}

export interface HoldOptions {
  readonly ledger: Ledger;
  readonly attempt: Attempt;
  readonly mode: DispatchMode;
  readonly emailDateMs: number | undefined;
  /** When the question left whose answer was "won": `nowMs()`. */
  readonly confirmedMs: number;
  /** Whether others perform it again, under this token, where it is in doubt. */
  readonly mayBeReplayed: boolean;
  /** A replay of a dispatch that is in doubt: until when it may leave, by `nowMs()`. */
  readonly replayUntilMs?: number | undefined;
  readonly onDispatched: () => void;
  readonly onLost: () => void;
}

/** @internal Holds a claim that was won: keeps it alive and guards its one dispatch. */
export function holdClaim(options: HoldOptions): HeldClaim {
  const { ledger, attempt, mode } = options;
  let dispatched = mode === 'before-processor';
  /** The ledger may have executed it, whatever it answered. */
  let asked = dispatched;
  let loss: ReturnType<HeldClaim['loss']>;
  let current: StartedEffect | undefined;
  let over = false;
  let lost: AbortController | undefined;
  let wasLost = false;

  const kept = keepAlive(
    ledger,
    attempt,
    () => {
      wasLost = true;
      if (over) return;
      (lost ??= new AbortController()).abort(
        new ClaimLostError('The lease of this attempt is over: do not send.'),
      );
      options.onLost();
    },
    options.confirmedMs,
  );

  const isOlderThanLease = (askedMs: number) => nowMs() - askedMs > attempt.leaseMs;
  const wasSilent = () => wasLost || isOlderThanLease(kept.confirmedMs());

  function lose(reply: NonNullable<typeof loss>): never {
    loss = reply;
    throw new ClaimLostError(`The claim was lost before dispatch (${reply.state}): not sent.`);
  }

  async function dispatchInLedger(): Promise<void> {
    if (options.replayUntilMs !== undefined) return confirmReplay(options.replayUntilMs);
    // Its replays go by this token, too: asking would not tell whether their window is over.
    if (asked && options.mayBeReplayed && wasSilent()) lose({ state: 'expired' });
    // Past the point of no return already, and confirmed within the lease: nothing to ask. At-send asks
    // for every email: what a heartbeat keeps may be a mere claim again.
    if (mode === 'before-processor' && !isOlderThanLease(kept.confirmedMs())) return;
    asked = true;
    for (;;) {
      const askedMs = nowMs();
      const reply = await insist(() => ledger.dispatch(attempt), attempt.leaseMs / 2);
      if (reply.state !== 'dispatched') lose(reply);
      // A reply that took longer than a lease may be older than a person's "not sent": ask again.
      if (!isOlderThanLease(askedMs)) break;
      if (options.mayBeReplayed) lose({ state: 'expired' });
    }
    if (!dispatched) options.onDispatched();
    dispatched = true;
  }

  async function confirmReplay(untilMs: number): Promise<void> {
    for (let askedMs = options.confirmedMs; isOlderThanLease(askedMs);) {
      askedMs = nowMs();
      const isOpen = await insist(() => takeUp(ledger, attempt), attempt.leaseMs / 2);
      if (!isOpen) lose({ state: 'expired' });
    }
    if (nowMs() < untilMs) return;
    throw new ClaimLostError("The provider's window is over: not sent again.");
  }

  function start(awaited: boolean): StartedEffect {
    if (current?.mayLeave()) throw new SecondEmailError(attempt.key);
    current = startEffect(attempt.key, awaited, async () => {
      if (over) {
        throw new ClaimLostError(
          'The processor ended before its email was dispatched: not sent. Await the send.',
        );
      }
      await dispatchInLedger();
    });
    return current;
  }

  const claim: Claim = {
    key: attempt.key,
    token: attempt.token,
    mode,
    emailDateMs: options.emailDateMs,
    get signal() {
      return (lost ??= new AbortController()).signal;
    },
    begin: () => start(true),
    dispatch: async () => start(false).dispatch(),
    report: (report) => (current ?? start(false)).report(report),
  };

  return {
    claim,
    dispatched: () => dispatched,
    mayBeInDoubt: () => asked && wasSilent(),
    loss: () => loss,
    lastReport: () => current?.lastReport(),
    async confirm() {
      try {
        if (dispatched) await dispatchInLedger();
      } catch (error) {
        claim.report({ verdict: 'not-sent', error });
        throw error;
      }
    },
    async end() {
      // An email that did not leave may be followed by another one (a fallback) meanwhile.
      for (let waited: StartedEffect | undefined; waited !== current;) {
        waited = current;
        await waited?.ended();
      }
      over = true;
    },
    drop: () => kept.stop(),
  };
}

interface StartedEffect extends Effect {
  /** Waits for the report; for a caller that awaits its own send, for a dispatch on its way. */
  ended(): Promise<void>;
  lastReport(): EffectReport | undefined;
  mayLeave(): boolean;
}

function startEffect(key: string, awaited: boolean, dispatch: () => Promise<void>): StartedEffect {
  let report: EffectReport | undefined;
  let asked = false;
  let end = () => {};
  const reported = new Promise<void>((resolve) => (end = resolve));
  let dispatching: Promise<void> | undefined;
  const effect: StartedEffect = {
    ended: async () => (awaited ? reported : dispatching?.catch(() => {})),
    lastReport: () => report,
    mayLeave: () => !report || report.verdict === 'sent' || report.verdict === 'unknown',
    async dispatch() {
      if (asked) throw new SecondEmailError(key);
      asked = true;
      try {
        await (dispatching = dispatch());
      } catch (error) {
        effect.report({ verdict: 'not-sent', error });
        throw error;
      }
    },
    report(told) {
      report ??= told;
      end();
    },
  };
  return effect;
}
