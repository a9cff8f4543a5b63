import type { AttemptContext } from '../attempt-context.ts';

/**
 * Renews the mark "still being sent" of an email in doubt, in the name of its token, so that other
 * attempts wait. False where the doubt is no longer open: a heartbeat alone would renew a mere
 * claim.
 */
export async function renewDoubt(context: AttemptContext): Promise<boolean> {
  const { ledger, attempt } = context;
  try {
    const [kept] = await ledger.heartbeat([attempt]);
    if (kept !== 'kept') return false;
    const record = await ledger.read(attempt.key);
    return record?.state === 'dispatched' && record.token === attempt.token;
  } catch (error) {
    context.noteOutage(error);
    throw error;
  }
}
