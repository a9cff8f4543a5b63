import type { AttemptContext } from '../attempt-context.ts';
import { nowMs } from '../clock.ts';
import { ClaimLostError } from '../errors.ts';
import type { DispatchReply } from '../record.ts';
import { retryWhileUnavailable } from '../retry-while-unavailable.ts';
import type { ActiveClaim } from './active-claim.ts';
import { renewDoubt } from './renew-doubt.ts';

/** Why the ledger refused the dispatch. */
export type DispatchLoss = Exclude<DispatchReply, { state: 'dispatched' }>;

/**
 * Asks, directly before the email leaves, whether it may. When the promise rejects, the email must
 * not be sent. Undefined where the answer is known already.
 * @throws {ClaimLostError} @throws {LedgerUnavailableError}
 */
export type Confirm = (active: ActiveClaim) => Promise<void> | undefined;

/** Confirms the dispatch of a claim: by the ledger's compare-and-set on the token. */
export const confirmDispatch: Confirm = (active) => {
  refuseWhenOver(active);
  const { context, lease } = active;
  // In `at-send` the ledger is asked for every email: a heartbeat keeps a mere claim alive, too.
  if (context.mode === 'at-send') return dispatch(active);
  const isConfirmed = !(context.isReplayable ? lease.wasSilent() : lease.isOverdue());
  return isConfirmed ? undefined : dispatch(active);
};

async function dispatch(active: ActiveClaim): Promise<void> {
  const { context, lease } = active;
  const wasSilent = active.phase !== 'claimed' && lease.wasSilent();
  const email = active.slot?.email;
  if (active.phase !== 'dispatched') active.phase = 'dispatching';
  const { reply } = await askForDispatch(context, { wasSilent });
  // The email was reported in the meantime, and another one was begun, which decides over the
  // claim.
  if (active.slot?.email !== email) {
    throw new ClaimLostError('Another email was begun under this claim. This one was not sent.');
  }
  if (reply.state !== 'dispatched') loseClaim(active, reply);
  // The email may have been reported, and the claim closed, while its dispatch was in flight.
  refuseWhenOver(active);
  const isFirst = active.phase === 'dispatching';
  active.phase = 'dispatched';
  if (isFirst) context.emit('dispatched');
}

/**
 * Asks the ledger for the dispatch until its answer is younger than a lease: an older one may be
 * older than a person's "not sent".
 * @param wasSilent the ledger may have executed a dispatch, and then received nothing for longer
 * than a lease.
 */
export async function askForDispatch(
  context: AttemptContext,
  { wasSilent }: { readonly wasSilent: boolean },
): Promise<{ readonly reply: DispatchReply; readonly requestedAtMs: number }> {
  const { ledger, attempt, isReplayable } = context;
  for (let isOld = wasSilent; ; isOld = true) {
    const requestedAtMs = nowMs();
    // Others may have replayed it under this token: the ledger cannot tell whether the window is
    // over.
    if (isOld && isReplayable) return { reply: { state: 'expired' }, requestedAtMs };
    const ask = () => ledger.dispatch(attempt);
    const reply = await retryWhileUnavailable(ask, attempt.leaseMs / 2).catch((error: unknown) => {
      context.noteOutage(error);
      throw error;
    });
    const isFresh = nowMs() - requestedAtMs <= attempt.leaseMs;
    if (isFresh || reply.state !== 'dispatched') return { reply, requestedAtMs };
  }
}

/**
 * Confirms a replay: its doubt is still open under this token, and so is the provider's window. A
 * doubt that is resolved loses the claim. When the window is over, the claim is not lost: the doubt
 * stays.
 */
export const confirmReplay: Confirm = async (active) => {
  refuseWhenOver(active);
  const { context, won } = active;
  const { leaseMs } = context.attempt;
  for (let requestedAtMs = won.requestedAtMs; nowMs() - requestedAtMs > leaseMs;) {
    requestedAtMs = nowMs();
    const isOpen = await retryWhileUnavailable(() => renewDoubt(context), leaseMs / 2);
    if (!isOpen) loseClaim(active, { state: 'expired' });
  }
  refuseWhenOver(active);
  if (nowMs() < (won.replayUntilMs ?? 0)) return;
  throw new ClaimLostError(
    'The window in which the provider recognises the idempotency key is over. The email was not sent again.',
  );
};

function refuseWhenOver(active: ActiveClaim): void {
  const { phase } = active;
  if (active.context.isOver) {
    active.isOverdue = true;
    throw new ClaimLostError('The time of the email is over (not-after). The email was not sent.');
  }
  if (phase === 'lost')
    throw new ClaimLostError('The claim was lost before. The email was not sent.');
  if (phase !== 'closed') return;
  active.refuseLateSend();
  throw new ClaimLostError(
    'The processor ended before its email was dispatched. The email was not sent. Await the send.',
  );
}

function loseClaim(active: ActiveClaim, loss: DispatchLoss): never {
  if (active.phase !== 'closed') active.phase = 'lost';
  active.loss = loss;
  throw new ClaimLostError(
    `The claim was lost before the dispatch (${loss.state}). The email was not sent.`,
  );
}
