import { setTimeout as sleep } from 'node:timers/promises';

/** Repeats a question until the answer is yes. Resolves with false if it never was. */
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
