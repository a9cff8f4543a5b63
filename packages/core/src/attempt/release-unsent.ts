import type { AttemptContext } from '../attempt-context.ts';
import { retryWhileUnavailable } from '../retry-while-unavailable.ts';
import type { LostClaim } from './acquire.ts';
import type { DispatchLoss } from './dispatch.ts';

interface Unsent {
  /** The ledger had let it go: what it keeps may become a doubt. */
  readonly wasDispatched?: boolean;
  /**
   * It was silent for longer than a lease: others may have read "in doubt", even if a heartbeat
   * hides it now.
   */
  readonly mayBeInDoubt: boolean;
  /** For how long to repeat a verb that the ledger does not answer. */
  readonly forMs: number;
}

/**
 * Releases a claim whose email was not sent.
 *
 * Jobs that met the doubt in the meantime have failed permanently, and none of them may try again.
 * Then the email stays listed, with a mark by which the next attempt sends it.
 */
export async function releaseUnsent(
  context: AttemptContext,
  { wasDispatched = false, mayBeInDoubt, forMs }: Unsent,
): Promise<'released' | 'in-doubt' | 'unrecorded'> {
  const { ledger, attempt, isReplayable } = context;
  // Before its dispatch there is no outcome to record: the claim ends, or another attempt has it.
  const notTaken = wasDispatched ? 'unrecorded' : 'released';
  try {
    const isDoubt = mayBeInDoubt && (await hasDispatched(context, forMs));
    if (!isDoubt) {
      const { state } = await retryWhileUnavailable(() => ledger.release(attempt), forMs);
      if (state !== 'in-doubt') return state === 'released' ? state : notTaken;
    }
    // Others may have replayed it under this token, and their outcome decides.
    if (isReplayable) return 'in-doubt';
    const doubt = { ...attempt, outcome: 'in-doubt', lateNotSent: true } as const;
    const { state } = await retryWhileUnavailable(() => ledger.settle(doubt), forMs);
    return state === 'settled' ? 'in-doubt' : notTaken;
  } catch {
    // The caller throws what failed first. The claim expires, or becomes in doubt and is listed.
    return notTaken;
  }
}

/** Asked first: settling a doubt over an absent record would create one where there was none. */
async function hasDispatched({ ledger, attempt }: AttemptContext, forMs: number): Promise<boolean> {
  const record = await retryWhileUnavailable(() => ledger.read(attempt.key), forMs);
  const isOpen = record?.state === 'dispatched' || record?.state === 'in-doubt';
  return isOpen && record.token === attempt.token;
}

/**
 * Ends a claim whose dispatch was refused: this attempt sent nothing, another run of the job
 * decides. A doubt under its token is released, because nothing was sent.
 */
export async function endLostClaim(
  context: AttemptContext,
  loss: DispatchLoss,
): Promise<LostClaim> {
  if (loss.state !== 'expired' && loss.state !== 'in-doubt') return loss;
  const { token, leaseMs } = context.attempt;
  // This attempt's own doubt: it was silent for too long, and sent nothing.
  if (loss.state === 'in-doubt' && loss.record.token === token) {
    context.emit(await releaseUnsent(context, { mayBeInDoubt: true, forMs: leaseMs }));
  }
  return { state: 'busy', retryAfterMs: 0 };
}
