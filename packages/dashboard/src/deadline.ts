import { LedgerUnavailableError } from '@sendonce/core';
import { withTimeout } from '@sendonce/core/ledger';

/**
 * Limits how long a page waits. A client that waits for its server to come back would otherwise
 * hold the page for as long.
 * @throws {LedgerUnavailableError} after `timeoutMs`
 */
export function withDeadline<T>(answer: Promise<T>, timeoutMs = 5000): Promise<T> {
  return withTimeout(answer, timeoutMs, () => {
    throw new LedgerUnavailableError(
      `The ledger, the journal or the queue did not answer the dashboard within ${timeoutMs} ms. ` +
        'The dashboard sent no email. Check the server, then reload the page.',
    );
  });
}
