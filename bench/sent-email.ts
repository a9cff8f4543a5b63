import {
  type ClaimRequest,
  type Journal,
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
  /** With its steps, a label and a Message-ID in a journal. */
  readonly journal?: boolean;
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

/** The steps that `once()` tells: those of an email that was sent half a second after its claim. */
export function journalSent(
  journal: Journal,
  { key, token, by }: ClaimRequest,
  jobId: number,
): void {
  const atMs = Date.now();
  const email = { key, token, by, label: labelOf(jobId) };
  journal.write({ ...email, type: 'claimed', atMs });
  journal.write({ ...email, type: 'dispatched', atMs: atMs + 3 });
  journal.write({ ...email, type: 'sent', atMs: atMs + 500, messageId: messageIdOf(key) });
}

export const labelOf = (jobId: number) => `order ${jobId}`;

/** As long as those of @sendonce/mail. */
const messageIdOf = (key: string) => `<${key}.${key.slice(0, 8)}@mail.example.com>`;
