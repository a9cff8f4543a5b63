import { type Claim, type Effect, type EffectReport, normaliseReport } from '../claim.ts';
import { ClaimLostError, SecondEmailError } from '../errors.ts';
import type { ActiveClaim } from './active-claim.ts';

/** The place of the one email of a claim: begin, dispatch, report. One email at a time. */
export class EmailSlot {
  /** The email that was begun last. */
  email: StartedEmail | undefined;
  private readonly active: ActiveClaim;

  constructor(active: ActiveClaim) {
    this.active = active;
  }

  /**
   * @param isAwaited whether the claim stays open until the email is reported. False for a caller that
   *   awaits its own send: the claim then stays open for the answer to a dispatch only.
   * @throws {SecondEmailError} unless the email before it surely did not leave.
   */
  begin(isAwaited: boolean): StartedEmail {
    if (this.email && mayHaveLeft(this.email)) {
      throw new SecondEmailError(this.active.context.attempt.key);
    }
    return (this.email = startEmail(this.active, isAwaited));
  }

  /** The claim as the processor and the mail plugin see it. */
  makeClaim(signal: () => AbortSignal): Claim {
    const { attempt, mode, email } = this.active.context;
    return {
      key: attempt.key,
      token: attempt.token,
      mode,
      emailDateMs: email.emailDateMs,
      get signal() {
        return signal();
      },
      begin: () => this.begin(true),
      dispatch: async () => this.begin(false).dispatch(),
      report: (report) => (this.email ?? this.begin(false)).report(report),
    };
  }
}

export interface StartedEmail extends Effect {
  /** What was reported about it first: that decides. */
  readonly reported: EffectReport | undefined;
  /** Resolves when the claim no longer has to stay open for this email. */
  readonly ended: Promise<void>;
}

/** Another email may have been begun after the report: this one must not leave as well. */
function reportedBefore(): ClaimLostError {
  return new ClaimLostError(
    'The email was reported before its dispatch was answered. Do not send it. Report after the send.',
  );
}

function mayHaveLeft({ reported }: StartedEmail): boolean {
  return !reported || reported.verdict === 'sent' || reported.verdict === 'unknown';
}

function startEmail(active: ActiveClaim, isAwaited: boolean): StartedEmail {
  let reported: EffectReport | undefined;
  let isUnsent = false;
  let isRequested = false;
  let stopWaiting = () => {};
  const ended = new Promise<void>((resolve) => (stopWaiting = resolve));
  const email: StartedEmail = {
    get reported() {
      return reported;
    },
    ended,
    async dispatch() {
      if (isRequested || reported) throw new SecondEmailError(active.context.attempt.key);
      isRequested = true;
      try {
        await active.won.confirm(active);
        if (isUnsent) throw reportedBefore();
      } catch (error) {
        email.report({ verdict: 'not-sent', error });
        throw error;
      } finally {
        if (!isAwaited) stopWaiting();
      }
    },
    report(report) {
      reported ??= normaliseReport(report);
      isUnsent = !mayHaveLeft(email);
      // Without a dispatch in flight there is nothing else to wait for.
      if (isAwaited || !isRequested) stopWaiting();
    },
  };
  return email;
}
