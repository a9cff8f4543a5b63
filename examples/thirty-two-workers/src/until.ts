import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again and again; false when the answer was never yes. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  atMostMs: number,
): Promise<boolean> {
  const deadlineMs = Date.now() + atMostMs;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) return false;
    await sleep(20);
  }
  return true;
}
