import type { Attempt, Ledger, LedgerRecord } from '@sendonce/core';

const DAY_MS = 86_400_000;

/** Removes a record by verbs alone, in every state. */
export async function removeByVerbs(
  ledger: Ledger,
  { key, token, state }: LedgerRecord,
): Promise<void> {
  const attempt: Attempt = { key, token, leaseMs: DAY_MS, retentionMs: DAY_MS };
  if (state === 'claimed' || state === 'dispatched') return void (await ledger.release(attempt));
  if (state === 'skipped') {
    await ledger.claim(attempt);
    return void (await ledger.release(attempt));
  }
  if (state === 'cancelled') await ledger.settle({ ...attempt, outcome: 'sent' });
  if (state !== 'in-doubt') await ledger.settle({ ...attempt, outcome: 'rejected' });
  await ledger.resolve({ ...attempt, verdict: 'not-sent', by: 'a mistake' });
}
