import type { AttemptContext } from '../attempt-context.ts';
import { type Claim, type EffectReport, hasDispatcher, runWithClaim } from '../claim.ts';
import { ClaimLostError } from '../errors.ts';
import { type LeaseEntry, startRenewing } from '../lease-renewer.ts';
import { refuseObservable } from '../refuse-observable.ts';
import { createSkip, NOT_AFTER, skipReasonOf } from '../skip.ts';
import type { WonClaim } from './acquire.ts';
import type { ClaimFacts, EffectEnd } from './decide.ts';
import type { DispatchLoss } from './dispatch.ts';
import { EmailSlot, type StartedEmail } from './email-slot.ts';
import { RequestCount } from './watch-requests.ts';

/** What sends the email. It gets the claim if it asks for it: `claim` is made on demand. */
export type EffectFunction<R> = (active: { readonly claim: Claim }) => Promise<R> | R;

/**
 * Where a claim is on its way:
 * - `claimed`: nothing was dispatched.
 * - `dispatching`: a dispatch was requested, and its answer is not known: the ledger may have
 *   executed it.
 * - `dispatched`: the ledger acknowledged the dispatch. The email may leave.
 * - `lost`: the ledger refused the dispatch. Nothing leaves any more.
 * - `closed`: the effect has ended. Nothing leaves any more.
 */
export type Phase = 'claimed' | 'dispatching' | 'dispatched' | 'lost' | 'closed';

/** A won claim while its effect runs: its lease is renewed, and its one dispatch is guarded. */
export class ActiveClaim {
  readonly won: WonClaim;
  readonly context: AttemptContext;
  readonly lease: LeaseEntry;
  phase: Phase;
  /** Why the phase is `lost`. */
  loss: DispatchLoss | undefined;
  // These are made on demand: most processors ask for neither, and this runs for every email.
  /** An email was about to leave when the effect had ended. */
  isLate = false;
  /** An email was about to leave when its time was over. */
  isOverdue = false;
  slot: EmailSlot | undefined;
  requests: { readonly email: StartedEmail | undefined; readonly count: RequestCount } | undefined;
  private userClaim: Claim | undefined;
  private leaseLost: AbortController | undefined;

  constructor(won: WonClaim) {
    const { context, requestedAtMs } = won;
    this.won = won;
    this.context = context;
    this.phase = context.mode === 'before-processor' ? 'dispatched' : 'claimed';
    const { ledger, attempt } = context;
    this.lease = startRenewing(ledger, attempt, () => this.onLeaseLost(), requestedAtMs);
  }

  /** The claim as the processor and the mail plugin see it. */
  get claim(): Claim {
    const signal = () => (this.leaseLost ??= new AbortController()).signal;
    return (this.userClaim ??= this.ownSlot.makeClaim(signal));
  }

  /** @throws {SkipError} for a skip that does not hold. */
  acceptSkip(value: unknown): 'skipped' {
    this.ownSlot.acceptSkip(value);
    return 'skipped';
  }

  /** Reports an email that was refused because the effect had ended. */
  refuseLateSend(): void {
    if (this.isLate) return;
    this.isLate = true;
    this.context.emit('late-send');
    this.context.warn(
      'SENDONCE_LATE_SEND',
      'sendonce refused an email: it was about to leave when its processor had returned. It was not sent. ' +
        'Await every send before the processor returns.',
    );
  }

  /**
   * Notices a second POST to the same place while the email is being sent: a client that repeats
   * requests automatically may have sent two emails.
   */
  noteRequest(host: string, path: string): void {
    const email = this.slot?.email;
    if (this.phase !== 'dispatched' || email?.reported) return;
    if (this.context.options.onRepeatedRequest === 'ignore') return;
    if (this.requests?.email !== email) this.requests = undefined;
    this.requests ??= { email, count: new RequestCount() };
    if (this.requests.count.add(host, path)) this.context.reportRepeated(host);
  }

  private get ownSlot(): EmailSlot {
    return (this.slot ??= new EmailSlot(this));
  }

  private onLeaseLost(): void {
    if (this.phase === 'closed') return;
    (this.leaseLost ??= new AbortController()).abort(
      new ClaimLostError('The lease of this attempt is over. Do not send the email.'),
    );
    this.context.emit('lost');
  }
}

/** How the effect of a claim ended, when nothing can be dispatched under it any more. */
export interface ClosedClaim<R> {
  /** What the effect returned. */
  readonly value: R | undefined;
  /** What the effect threw. */
  readonly error: unknown;
  /** What was reported about the email that was begun last. */
  readonly report: EffectReport | undefined;
  /** The ledger may have executed a dispatch. */
  readonly wasRequested: boolean;
  /** A request was repeated while the email was being sent, see {@link RequestCount}. */
  readonly wasRepeated: boolean;
  readonly facts: ClaimFacts;
}

function thrownSkip(active: ActiveClaim, skip: unknown): [end: EffectEnd, error: unknown] {
  try {
    return [active.acceptSkip(skip), undefined];
  } catch (error) {
    return ['threw', error];
  }
}

/**
 * Runs the effect under its claim, waits for an email that is still being sent, and closes the
 * claim: no dispatch, no heartbeat any more. Never throws.
 */
export async function runAndClose<R>(
  active: ActiveClaim,
  effect: EffectFunction<R>,
): Promise<ClosedClaim<R>> {
  let end: EffectEnd = 'threw';
  let value: R | undefined;
  let error: unknown;
  try {
    const returned = active.context.isOver
      ? (createSkip(NOT_AFTER) as R)
      : runWithClaim(active, () => effect(active));
    refuseObservable(returned, 'no');
    value = await returned;
    // What is awaited has run, and may have sent before it returned this.
    refuseObservable(value, 'maybe');
    const isSkip = active.slot?.skipped !== undefined || skipReasonOf(value) !== undefined;
    end = isSkip ? active.acceptSkip(value) : 'returned';
  } catch (caught) {
    error = caught;
    // Its type is `never`, so `throw skipEmail(reason)` compiles, and means the same.
    if (skipReasonOf(caught) !== undefined) {
      [end, error] = thrownSkip(active, caught);
      value = caught as R;
    }
  }
  // An email that did not leave may be followed by another one (a fallback) in the meantime.
  let waitedFor: StartedEmail | undefined;
  while (active.slot?.email !== waitedFor) {
    waitedFor = active.slot?.email;
    await waitedFor?.ended;
  }
  // Nothing has left since: what the sender reported of another email still decides.
  if (active.isOverdue) end = 'skipped';
  const { phase, slot, lease } = active;
  active.phase = 'closed';
  // Before the outcome: a heartbeat after "in doubt" would say that the email is still being sent.
  lease.stop();
  const report = slot?.email?.reported;
  const wasRequested = phase === 'dispatched' || phase === 'dispatching';
  const isReplay = active.won.replayUntilMs !== undefined;
  const { options } = active.context;
  // A replay begins as dispatched. In `at-send` only its own email shows that it sends again.
  const isBlindReplay = isReplay && options.dispatch === 'at-send' && !slot?.email;
  const isDispatched = phase === 'dispatched' && !isBlindReplay;
  const isShared = isReplay || (isDispatched && active.context.isReplayable && lease.wasSilent());
  const facts = {
    end,
    reported: report?.verdict,
    isLost: phase === 'lost',
    isDispatched,
    isShared,
    isUnseen: phase === 'claimed' && !hasDispatcher(),
    undispatched: options.undispatched ?? 'in-doubt',
  };
  const { requests } = active;
  const wasRepeated = requests?.email === slot?.email && requests?.count.wasRepeated === true;
  return { value, error, report, wasRequested, wasRepeated, facts };
}
