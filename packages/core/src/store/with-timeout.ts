/**
 * Waits for `answer` for at most `timeoutMs`, then gives what `onTimeout` returns or throws.
 *
 * @example
 * const reply = await withTimeout(client.ping(), 1_000, () => {
 *   throw new LedgerUnavailableError('The store did not answer within 1 s.');
 * });
 */
export async function withTimeout<T>(
  answer: Promise<T>,
  timeoutMs: number,
  onTimeout: () => T,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  try {
    return await Promise.race([answer, timeout.then(onTimeout)]);
  } finally {
    clearTimeout(timer);
  }
}
