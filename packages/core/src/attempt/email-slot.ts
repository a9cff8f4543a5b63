import {
  type Claim,
  type Effect,
  type EffectReport,
  hasDispatcher,
  normaliseReport,
  registerDispatcher,
} from '../claim.ts';
import { ClaimLostError, type MayHaveLeft, SecondEmailError, SkipError } from '../errors.ts';
import { createSkip, type Skip, skipReasonOf } from '../skip.ts';
import type { ActiveClaim } from './active-claim.ts';

/** The place of the one email of a claim: begin, dispatch, report, or skip. One email at a time. */
export class EmailSlot {
  /** The email that was begun last. */
  email: StartedEmail | undefined;
  /** The decision not to send, once it is made. */
  skipped: Skip | undefined;
  private readonly active: ActiveClaim;

  constructor(active: ActiveClaim) {
    this.active = active;
  }

  /**
   * @param isAwaited whether the claim stays open until the email is reported. False for a caller
   *   that awaits its own send: the claim then stays open for the answer to a dispatch only.
   * @throws {SecondEmailError} unless the email before it was not sent.
   * @throws {SkipError} after a skip.
   */
  begin(isAwaited: boolean): StartedEmail {
    registerDispatcher();
    if (this.skipped) throw this.skipError('An email was about to leave after it was skipped.');
    if (this.email && mayHaveLeft(this.email)) {
      throw new SecondEmailError(this.active.context.attempt.key);
    }
    return (this.email = startEmail(this.active, isAwaited));
  }

  /** @throws {SkipError} */
  skip(reason: unknown): Skip {
    if (this.skipped) throw this.skipError('The email was skipped twice. Skip it once.');
    const skip = createSkip(reason, this.mayHaveLeft());
    if (this.active.phase === 'closed') {
      throw new SkipError(
        'maybe',
        'The email was skipped after its processor had ended. Await it.',
      );
    }
    if (this.email && mayHaveLeft(this.email)) {
      throw this.skipError('The email was skipped after it was sent.');
    }
    ownerOf.set(skip, this);
    return (this.skipped = skip);
  }

  private skipError(message: string): SkipError {
    return new SkipError(this.mayHaveLeft(), message);
  }

  /** Whether an email may have left, seen or unseen. */
  private mayHaveLeft(): MayHaveLeft {
    if (this.email?.reported?.verdict === 'sent') return 'yes';
    const isSeen = this.active.context.mode === 'at-send' && hasDispatcher();
    return isSeen && !(this.email && mayHaveLeft(this.email)) ? 'no' : 'maybe';
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
      // `never` is the type of what is returned instead of a result, see Claim.skip().
      skip: (reason) => this.skip(reason) as never,
    };
  }

  /**
   * Takes the skip that the effect returned.
   * @throws {SkipError} where a skip was made and not returned, or where that of another claim was.
   */
  acceptSkip(value: unknown): void {
    const reason = skipReasonOf(value);
    if (reason === undefined) {
      throw this.skipError('The email was skipped, and the processor continued. Return the skip.');
    }
    const owner = ownerOf.get(value as Skip);
    if (owner && owner !== this) {
      throw this.skipError('The skip of another email was returned. Skip the email of this claim.');
    }
    // It was made without a claim: in another process.
    if (!this.skipped) this.skip(reason);
  }
}

/** Which claim a skip was made for. */
const ownerOf = new WeakMap<object, EmailSlot>();

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
