/** How long and how often `eventually` tries. */
export interface EventuallyOptions {
  /** @default 15_000 */
  timeoutMs?: number;
  /** @default 20 */
  everyMs?: number;
}

/**
 * Runs the assertion until it stops throwing, and returns its result.
 *
 * At the deadline it throws the assertion's own last error, so that the test's report shows the
 * difference and not a timeout. An assertion that never settles fails at the deadline too.
 *
 * @example
 * await eventually(() => expect(smtp.received).toHaveLength(1))
 */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  { timeoutMs = 15_000, everyMs = 20 }: EventuallyOptions = {},
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await withDeadline(assertion, deadlineMs, timeoutMs);
    } catch (error) {
      if (performance.now() + everyMs >= deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}

async function withDeadline<T>(
  assertion: () => T | Promise<T>,
  deadlineMs: number,
  timeoutMs: number,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const error = new Error(`eventually: the assertion did not settle within ${timeoutMs} ms`);
    timer = setTimeout(() => reject(error), Math.max(0, deadlineMs - performance.now()));
  });
  try {
    return await Promise.race([assertion(), late]);
  } finally {
    clearTimeout(timer);
  }
}
