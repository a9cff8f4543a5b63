/**
 * For the doctor of a ledger that does not answer.
 * See {@link Finding.remedy}.
 */
export const JOBS_WAIT =
  'Until the ledger answers, nothing is sent: the jobs of once() wait for it, and use up no attempt (onUnavailable).';

/**
 * Errors of attempts that sent nothing because the ledger did not answer their own claim or
 * dispatch.
 */
const outages = new WeakSet<object>();

export function markAsOutage(error: unknown): void {
  if (typeof error === 'object' && error) outages.add(error);
}

/**
 * For wrappers: whether `performWith()` threw this because the ledger did not answer, so that
 * nothing was sent. The same error of another call, such as a `perform()` inside the effect, does
 * not count.
 *
 * See {@link LedgerUnavailableError}.
 */
export function isOutage(error: unknown): boolean {
  return typeof error === 'object' && error !== null && outages.has(error);
}
