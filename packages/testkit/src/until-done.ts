import { setTimeout as sleep } from 'node:timers/promises';

/** The part of a BullMQ queue that counts. */
interface Counted {
  getJobCounts(...states: ('completed' | 'failed')[]): Promise<Record<string, number>>;
}

/** Waits until so many jobs have completed or failed; answers with the number that completed. */
export async function untilDone(queue: Counted, jobs: number): Promise<number> {
  for (;;) {
    const { completed = 0, failed = 0 } = await queue.getJobCounts('completed', 'failed');
    if (completed + failed >= jobs) return completed;
    await sleep(50);
  }
}
