import {
  type ClaimRequest,
  createToken,
  DEFAULT_LEASE_MS,
  DEFAULT_RETENTION_MS,
  deriveKey,
  type Ledger,
} from '@sendonce/core';

/** How a ledger keeps the emails. */
export interface Form {
  readonly compact: boolean;
  /** With the name of the queue and the id of the job, as `once()` has it. */
  readonly withJob: boolean;
}

/** The claim that `once()` makes for a job, before the processor. */
export function claimOf(jobId: number, { withJob }: Pick<Form, 'withJob'>): ClaimRequest {
  return {
    key: deriveKey(createToken()),
    token: createToken(),
    leaseMs: DEFAULT_LEASE_MS,
    retentionMs: DEFAULT_RETENTION_MS,
    by: withJob ? `delivery-notices:${jobId}` : undefined,
    dispatched: true,
  };
}

/** What `once()` writes after it, but for the result, which is the user's. */
export async function settleSent(ledger: Ledger, claim: ClaimRequest): Promise<void> {
  const { dispatched: _, ...attempt } = claim;
  const { state } = await ledger.settle({ ...attempt, outcome: 'sent' });
  if (state !== 'settled') throw new Error(`An email of the benchmark is ${state}.`);
}

export async function claimWon(ledger: Ledger, claim: ClaimRequest): Promise<void> {
  const { state } = await ledger.claim(claim);
  if (state !== 'won') throw new Error(`A claim of the benchmark is ${state}.`);
}
