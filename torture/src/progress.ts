import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '@sendonce/core';
import type { Queue } from 'bullmq';

export interface Progress {
  readonly phase: string;
  /** Jobs that have ended. */
  readonly done: number;
  readonly of: number;
}

/** Tells about once a second how many jobs have ended. */
export function watchProgress(
  queue: Queue,
  jobs: number,
  onProgress: ((progress: Progress) => void) | undefined,
) {
  let phase = 'under fire';
  const tell = async () => {
    const { completed = 0, failed = 0 } = await queue.getJobCounts('completed', 'failed');
    onProgress?.({ phase, done: completed + failed, of: jobs });
  };
  // A queue that is down just now is asked again.
  const timer = setInterval(() => void tell().catch(() => {}), 1_000);
  return {
    phase(next: string) {
      phase = next;
    },
    stop: () => clearInterval(timer),
  };
}

/** How long the end may take before it counts as stuck. */
const PATIENCE_MS = 120_000;

/** Waits until the queue runs nothing any more, and every open record has ended or is in doubt. */
export async function drained(queue: Queue, ledger: Ledger | undefined): Promise<void> {
  let fewest = Infinity;
  let deadlineMs = 0;
  for (;;) {
    const left = await unfinished(queue);
    if (left === 0 && !(await isSending(ledger))) return;
    // A machine that is slow gets on. What does not is judged as it is.
    if (left < fewest) deadlineMs = Date.now() + PATIENCE_MS;
    else if (Date.now() > deadlineMs) return;
    fewest = Math.min(fewest, left);
    await sleep(250);
  }
}

/** Whether no job runs, or waits to run. */
export async function isIdle(queue: Queue): Promise<boolean> {
  return (await unfinished(queue)) === 0;
}

async function unfinished(queue: Queue): Promise<number> {
  const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

async function isSending(ledger: Ledger | undefined): Promise<boolean> {
  for await (const { state } of ledger?.list({ state: 'open' }) ?? []) {
    if (state === 'dispatched') return true;
  }
  return false;
}
