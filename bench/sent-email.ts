import {
  type ClaimRequest,
  type Journal,
  DEFAULT_LEASE_MS,
  DEFAULT_RETENTION_MS,
  deriveKey,
  jobIdOf,
  type Ledger,
  messageIdOf,
} from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';

/**
 * What is stored beside the state: nothing; the job, as `once()` writes it; or the job and the
 * Message-ID of an email that `delayedEmails()` scheduled and `dispatchAtSend()` sent.
 */
export type Texts = 'none' | 'job' | 'scheduled';

/** What is stored of each email. */
export interface Form {
  readonly texts: Texts;
  /** With its steps, a label and a Message-ID in a journal. */
  readonly journal?: boolean;
}

const DOMAIN = 'example.com';

/** The claim that `once()` makes for a job, before the processor. */
export function claimOf(jobId: number, texts: Texts): ClaimRequest {
  const key = deriveKey(createToken());
  const id = texts === 'scheduled' ? jobIdOf(key) : String(jobId);
  return {
    key,
    token: createToken(),
    leaseMs: DEFAULT_LEASE_MS,
    retentionMs: DEFAULT_RETENTION_MS,
    job: texts === 'none' ? undefined : { queue: 'delivery-notices', id },
    dispatched: true,
  };
}

/** What `once()` writes after it, but for the result, which is the user's. */
export async function settleSent(ledger: Ledger, claim: ClaimRequest, texts: Texts): Promise<void> {
  const { dispatched: _, ...attempt } = claim;
  const messageId = texts === 'scheduled' ? messageIdOf(claim.key, DOMAIN) : undefined;
  const { state } = await ledger.settle({ ...attempt, outcome: 'sent', messageId });
  if (state !== 'settled') throw new Error(`An email of the benchmark is ${state}.`);
}

export async function claimWon(ledger: Ledger, claim: ClaimRequest): Promise<void> {
  const { state } = await ledger.claim(claim);
  if (state !== 'won') throw new Error(`A claim of the benchmark is ${state}.`);
}

/** The steps that `once()` writes for an email that was sent half a second after its claim. */
export function journalSent(
  journal: Journal,
  { key, token, job }: ClaimRequest,
  jobId: number,
): void {
  const atMs = Date.now();
  const email = { key, token, job, label: labelOf(jobId) };
  journal.write({ ...email, type: 'claimed', atMs });
  journal.write({ ...email, type: 'dispatched', atMs: atMs + 3 });
  journal.write({ ...email, type: 'sent', atMs: atMs + 500, messageId: messageIdOf(key, DOMAIN) });
}

export const labelOf = (jobId: number) => `order ${jobId}`;
