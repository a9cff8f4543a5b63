/** Watches how late the timers of this process are, which says how busy the machine is. */
interface LatenessWatch extends Disposable {
  /** The latest timer so far, in ms. */
  readonly worstMs: () => number;
}

const EVERY_MS = 10;

function watchLateness(): LatenessWatch {
  let worstMs = 0;
  let dueMs = performance.now() + EVERY_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    worstMs = Math.max(worstMs, nowMs - dueMs);
    dueMs = nowMs + EVERY_MS;
  }, EVERY_MS);
  return {
    worstMs: () => Math.max(worstMs, performance.now() - dueMs),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/**
 * How late timers may be before a measured time says more about the machine than about the code.
 */
const BUSY_MS = 25;

/**
 * Runs a test that has short times. If it fails on a machine that is too busy for them, it runs
 * again with times that are 5, and then 12 times as long. On a quiet machine the first failure
 * counts.
 *
 * @param run receives the factor for all its times: 1, 5 or 12.
 * @example
 * await onBusyMachine(async (scale) => testCase.run(createContext(underTest, scale)));
 */
export async function onBusyMachine(run: (scale: number) => Promise<void>): Promise<void> {
  for (const scale of [1, 5]) {
    using lateness = watchLateness();
    try {
      return await run(scale);
    } catch (error) {
      if (lateness.worstMs() < BUSY_MS) throw error;
    }
  }
  return run(12);
}
