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
 * Asks, directly before the email leaves, whether it may. When the promise rejects, the email must not
 * be sent. Undefined where the answer is known already.
 * @throws {ClaimLostError} @throws {LedgerUnavailableError}
 */
export type ConfirmDispatch = (claim: ActiveClaim) => Promise<void> | undefined;

/** Confirms the first dispatch of an email: by the ledger's compare-and-set on the token. */
export const confirmFirst: ConfirmDispatch = (claim) => {
  refuseWhenOver(claim);
  const { context, lease } = claim;
  // In `at-send` the ledger is asked for every email: a heartbeat keeps a mere claim alive, too.
  if (context.mode === 'at-send') return dispatch(claim);
  const isConfirmed = !(context.isReplayable ? lease.wasSilent() : lease.isOverdue());
  return isConfirmed ? undefined : dispatch(claim);
};

async function dispatch(claim: ActiveClaim): Promise<void> {
  const { context, lease } = claim;
  const wasSilent = claim.phase !== 'claimed' && lease.wasSilent();
  const isFirst = claim.phase !== 'dispatched';
  if (isFirst) claim.phase = 'dispatching';
  const { reply } = await askForDispatch(context, { wasSilent });
  if (reply.state !== 'dispatched') loseClaim(claim, reply);
  // The effect may have ended in the meantime, with a send that it did not await.
  refuseWhenOver(claim);
  claim.phase = 'dispatched';
  if (isFirst) context.emit('dispatched');
}

/**
 * Asks the ledger for the dispatch until its answer is younger than a lease: an older one may be older
 * than a person's "not sent".
 * @param wasSilent the ledger may have executed a dispatch, and then heard nothing for longer than a lease.
 */
export async function askForDispatch(
  { ledger, attempt, isReplayable }: AttemptContext,
  { wasSilent }: { readonly wasSilent: boolean },
): Promise<{ readonly reply: DispatchReply; readonly requestedAtMs: number }> {
  for (let isOld = wasSilent; ; isOld = true) {
    const requestedAtMs = nowMs();
    // Others may have replayed it under this token: the ledger cannot tell whether the window is over.
    if (isOld && isReplayable) return { reply: { state: 'expired' }, requestedAtMs };
    const ask = () => ledger.dispatch(attempt);
    const reply = await retryWhileUnavailable(ask, attempt.leaseMs / 2);
    const isFresh = nowMs() - requestedAtMs <= attempt.leaseMs;
    if (isFresh || reply.state !== 'dispatched') return { reply, requestedAtMs };
  }
}

/** Confirms a replay: its doubt is still open under this token, and the provider's window, too. */
export const confirmReplay: ConfirmDispatch = async (claim) => {
  refuseWhenOver(claim);
  const { context, won } = claim;
  const { leaseMs } = context.attempt;
  for (let requestedAtMs = won.requestedAtMs; nowMs() - requestedAtMs > leaseMs;) {
    requestedAtMs = nowMs();
    const isOpen = await retryWhileUnavailable(() => renewDoubt(context), leaseMs / 2);
    if (!isOpen) loseClaim(claim, { state: 'expired' });
  }
  refuseWhenOver(claim);
  if (nowMs() < (won.replayUntilMs ?? 0)) return;
  throw new ClaimLostError(
    'The window in which the provider recognises the idempotency key is over. The email was not sent again.',
  );
};

function refuseWhenOver({ phase }: ActiveClaim): void {
  if (phase === 'lost')
    throw new ClaimLostError('The claim was lost before. The email was not sent.');
  if (phase !== 'closed') return;
  throw new ClaimLostError(
    'The processor ended before its email was dispatched. The email was not sent. Await the send.',
  );
}

function loseClaim(claim: ActiveClaim, loss: DispatchLoss): never {
  if (claim.phase !== 'closed') claim.phase = 'lost';
  claim.loss = loss;
  throw new ClaimLostError(
    `The claim was lost before the dispatch (${loss.state}). The email was not sent.`,
  );
}
