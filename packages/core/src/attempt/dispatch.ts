import type { AttemptContext } from '../attempt-context.ts';
import { nowMs } from '../clock.ts';
import { ClaimLostError } from '../errors.ts';
import type { DispatchReply } from '../record.ts';
import { retryWhileUnavailable } from '../retry-while-unavailable.ts';
import type { ActiveClaim } from './active-claim.ts';

/** Why the ledger refused the dispatch. */
export type DispatchLoss = Exclude<DispatchReply, { state: 'dispatched' }>;

/**
 * Asks, directly before the email leaves, whether it may. Returns undefined where the answer is known
 * already. When it throws, or the promise rejects, the email must not be sent.
 * @throws {ClaimLostError} @throws {LedgerUnavailableError}
 */
export type ConfirmDispatch = (claim: ActiveClaim) => Promise<void> | undefined;

/** Confirms the first dispatch of an email: by the ledger's compare-and-set on the token. */
export const confirmFirst: ConfirmDispatch = (claim) => {
  refuseWhenOver(claim);
  // In `at-send` the ledger is asked for every email: a heartbeat keeps a mere claim alive, too.
  const isConfirmed =
    claim.context.mode === 'before-processor' &&
    !(claim.context.isReplayable ? claim.lease.wasSilent() : claim.lease.isOverdue());
  return isConfirmed ? undefined : dispatch(claim);
};

async function dispatch(claim: ActiveClaim): Promise<void> {
  const { ledger, attempt, isReplayable } = claim.context;
  // Replays use this token, too: the ledger could not tell whether their window is over.
  if (claim.phase !== 'claimed' && isReplayable && claim.lease.wasSilent()) {
    loseClaim(claim, { state: 'expired' });
  }
  const isFirst = claim.phase !== 'dispatched';
  if (isFirst) claim.phase = 'dispatching';
  for (;;) {
    const requestedAtMs = nowMs();
    const ask = () => ledger.dispatch(attempt);
    const reply = await retryWhileUnavailable(ask, attempt.leaseMs / 2);
    if (reply.state !== 'dispatched') loseClaim(claim, reply);
    // A reply that took longer than a lease may be older than a person's "not sent": ask again.
    if (nowMs() - requestedAtMs <= attempt.leaseMs) break;
    if (isReplayable) loseClaim(claim, { state: 'expired' });
  }
  refuseWhenOver(claim);
  claim.phase = 'dispatched';
  if (isFirst) claim.context.emit('dispatched');
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
  if (nowMs() < (won.replayUntilMs ?? 0)) return;
  throw new ClaimLostError(
    'The window in which the provider recognises the idempotency key is over. The email was not sent again.',
  );
};

/**
 * Renews the mark "still being sent" of an email in doubt, in the name of its token, so that other
 * attempts wait. False where the doubt is no longer open: a heartbeat alone would renew a mere claim.
 */
export async function renewDoubt({ ledger, attempt }: AttemptContext): Promise<boolean> {
  const [kept] = await ledger.heartbeat([attempt]);
  if (kept !== 'kept') return false;
  const record = await ledger.read(attempt.key);
  return record?.state === 'dispatched' && record.token === attempt.token;
}

function refuseWhenOver({ phase }: ActiveClaim): void {
  if (phase === 'lost') throw new ClaimLostError('The claim was lost before: not sent.');
  if (phase !== 'closed') return;
  throw new ClaimLostError(
    'The processor ended before its email was dispatched. The email was not sent. Await the send.',
  );
}

function loseClaim(claim: ActiveClaim, loss: DispatchLoss): never {
  claim.phase = 'lost';
  claim.loss = loss;
  throw new ClaimLostError(
    `The claim was lost before the dispatch (${loss.state}). The email was not sent.`,
  );
}
