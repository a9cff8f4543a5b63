import { nowMs } from '../clock.ts';
import type { Claim, Effect, EffectReport } from '../claim.ts';
import { ClaimLostError, SecondEmailError } from '../errors.ts';
import { keepAlive, type KeptClaim } from '../lease-renewer.ts';
import { retryWhileUnavailable } from '../retry-while-unavailable.ts';
import type { Attempt, Ledger } from '../ledger.ts';
import type { DispatchReply } from '../record.ts';
import type { Run } from './run.ts';

/**
 * Says "still being sent" of a dispatch that is in doubt, in the name of its token, so that others
 * wait; and looks whether that still stands there, as a heartbeat keeps a mere claim, too.
 */
export async function takeUp(ledger: Ledger, attempt: Attempt): Promise<boolean> {
  const [kept] = await ledger.heartbeat([attempt]);
  if (kept !== 'kept') return false;
  const record = await ledger.read(attempt.key);
  return record?.state === 'dispatched' && record.token === attempt.token;
}

/** What forbade the dispatch. */
export type DispatchLoss = Exclude<DispatchReply, { state: 'dispatched' }>;

/**
 * A claim that was won, as perform() sees it: kept alive, with its one dispatch guarded. A class, and what
 * few processors ask for is made when they do: this is made for every email.
 */
export class HeldClaim {
  private isDispatched: boolean;
  /** The ledger may have executed it, whatever it answered. */
  private asked: boolean;
  private lostBy: DispatchLoss | undefined;
  private current: StartedEffect | undefined;
  private over = false;
  private lost: AbortController | undefined;
  private wasLost = false;
  private made: Claim | undefined;
  private readonly kept: KeptClaim;

  private readonly run: Run;
  private readonly wonMs: number;

  /** @param wonMs when the question left whose answer was "won": `nowMs()`. */
  constructor(run: Run, wonMs: number) {
    this.run = run;
    this.wonMs = wonMs;
    this.isDispatched = this.asked = run.mode === 'before-processor';
    this.kept = keepAlive(run.ledger, run.attempt, () => this.onLost(), wonMs);
  }

  /** Whether others perform it again, under this token, where it is in doubt. */
  private get mayBeReplayed(): boolean {
    return this.run.options.replayWithinMs !== undefined;
  }

  get claim(): Claim {
    return (this.made ??= this.makeClaim());
  }

  dispatched(): boolean {
    return this.isDispatched;
  }

  /** Whether it was silent for so long that others may have been told "in doubt", and have given up. */
  mayBeInDoubt(): boolean {
    return this.asked && this.wasSilent();
  }

  /** The reply that forbade the dispatch. */
  loss(): DispatchLoss | undefined {
    return this.lostBy;
  }

  lastReport(): EffectReport | undefined {
    return this.current?.lastReport();
  }

  /**
   * Asks again where the answer "won, dispatched" is older than a lease: it may be older than a
   * person's "not sent"; nothing to wait for where it is not. @throws {ClaimLostError}
   */
  confirm(): Promise<void> | undefined {
    if (!this.isDispatched || this.isConfirmed()) return undefined;
    return this.dispatch().catch((error: unknown) => {
      this.claim.report({ verdict: 'not-sent', error });
      throw error;
    });
  }

  /**
   * Waits until the email on its way is reported, then forbids any further dispatch; nothing to wait for
   * where none was begun.
   */
  end(): Promise<void> | undefined {
    if (this.current) return this.endAfter(this.current);
    this.over = true;
    return undefined;
  }

  /** Stops the heartbeat. */
  drop(): void {
    this.kept.stop();
  }

  private makeClaim(): Claim {
    const { attempt, mode, email } = this.run;
    const signal = () => (this.lost ??= new AbortController()).signal;
    return {
      key: attempt.key,
      token: attempt.token,
      mode,
      emailDateMs: email.emailDateMs,
      get signal() {
        return signal();
      },
      begin: () => this.start(true),
      dispatch: async () => this.start(false).dispatch(),
      report: (report) => (this.current ?? this.start(false)).report(report),
    };
  }

  private onLost(): void {
    this.wasLost = true;
    if (this.over) return;
    (this.lost ??= new AbortController()).abort(
      new ClaimLostError('The lease of this attempt is over: do not send.'),
    );
    this.run.emit('lost');
  }

  private isOlderThanLease(askedMs: number): boolean {
    return nowMs() - askedMs > this.run.attempt.leaseMs;
  }

  private wasSilent(): boolean {
    return this.wasLost || this.isOlderThanLease(this.kept.confirmedMs);
  }

  /**
   * Past the point of no return already, and confirmed within the lease: nothing to ask. At-send asks for
   * every email: what a heartbeat keeps may be a mere claim again.
   */
  private isConfirmed(): boolean {
    const { mode, replayUntilMs } = this.run;
    if (mode !== 'before-processor' || replayUntilMs !== undefined) return false;
    return !(this.mayBeReplayed ? this.wasSilent() : this.isOlderThanLease(this.kept.confirmedMs));
  }

  private async dispatch(): Promise<void> {
    if (this.isConfirmed()) return;
    const { ledger, attempt, replayUntilMs } = this.run;
    if (replayUntilMs !== undefined) return this.confirmReplay(replayUntilMs);
    // Its replays go by this token, too: asking would not tell whether their window is over.
    if (this.asked && this.mayBeReplayed && this.wasSilent()) this.lose({ state: 'expired' });
    this.asked = true;
    for (;;) {
      const askedMs = nowMs();
      const reply = await retryWhileUnavailable(
        () => ledger.dispatch(attempt),
        attempt.leaseMs / 2,
      );
      if (reply.state !== 'dispatched') this.lose(reply);
      // A reply that took longer than a lease may be older than a person's "not sent": ask again.
      if (!this.isOlderThanLease(askedMs)) break;
      if (this.mayBeReplayed) this.lose({ state: 'expired' });
    }
    if (!this.isDispatched) this.run.emit('dispatched');
    this.isDispatched = true;
  }

  private async confirmReplay(untilMs: number): Promise<void> {
    const { ledger, attempt } = this.run;
    for (let askedMs = this.wonMs; this.isOlderThanLease(askedMs);) {
      askedMs = nowMs();
      const isOpen = await retryWhileUnavailable(
        () => takeUp(ledger, attempt),
        attempt.leaseMs / 2,
      );
      if (!isOpen) this.lose({ state: 'expired' });
    }
    if (nowMs() < untilMs) return;
    throw new ClaimLostError("The provider's window is over: not sent again.");
  }

  private lose(reply: DispatchLoss): never {
    this.lostBy = reply;
    throw new ClaimLostError(`The claim was lost before dispatch (${reply.state}): not sent.`);
  }

  private start(awaited: boolean): StartedEffect {
    const { key } = this.run.attempt;
    if (this.current?.mayLeave()) throw new SecondEmailError(key);
    this.current = startEffect(key, awaited, async () => {
      if (this.over) {
        throw new ClaimLostError(
          'The processor ended before its email was dispatched: not sent. Await the send.',
        );
      }
      await this.dispatch();
    });
    return this.current;
  }

  private async endAfter(started: StartedEffect): Promise<void> {
    await started.ended();
    // An email that did not leave may be followed by another one (a fallback) meanwhile.
    if (this.current && this.current !== started) return this.endAfter(this.current);
    this.over = true;
  }
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
