import { setTimeout as sleep } from 'node:timers/promises';
import { isSendonceError } from './errors.ts';

/**
 * Repeats a verb while the ledger cannot answer, for at most `forMs`, then throws the last error. A
 * client that was closed answers no more.
 * Safe because every verb is idempotent for its token.
 *
 * @param ref whether the pauses keep an otherwise idle process alive.
 *
 * @example await retryWhileUnavailable(() => ledger.settle(settlement), 30_000);
 */
export async function retryWhileUnavailable<T>(
  verb: () => Promise<T>,
  forMs: number,
  ref = true,
): Promise<T> {
  const deadlineMs = performance.now() + forMs;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 2_000)) {
    try {
      return await verb();
    } catch (error) {
      const again = isSendonceError(error, 'SENDONCE_LEDGER_UNAVAILABLE') && !error.isClosed;
      if (!again || performance.now() + pauseMs > deadlineMs) throw error;
      await sleep(pauseMs * (0.5 + Math.random() / 2), undefined, { ref });
    }
  }
}
