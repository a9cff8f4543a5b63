import { type ConnectionOptions, Worker, type WorkerOptions } from 'bullmq';
import type { WorkerPlan } from '../messages.ts';
import type { NoticeProcessor } from '../system.ts';

/** A BullMQ worker as the plan says. */
export function workOn(
  { queue, concurrency, timing }: WorkerPlan,
  processor: NoticeProcessor,
  options: Partial<WorkerOptions> & { readonly connection: ConnectionOptions },
): Worker {
  const worker = new Worker(queue.name, processor, {
    prefix: queue.prefix,
    concurrency,
    lockDuration: timing.lockMs,
    stalledInterval: timing.stalledMs,
    // With the default of 1 BullMQ itself would give the email up.
    maxStalledCount: 1_000_000,
    ...options,
  });
  // A lost lock is what this is about.
  worker.on('error', () => {});
  return worker;
}

/** Holds the event loop. */
export function block(forMs: number): void {
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs);
}
