import { setTimeout as sleep } from 'node:timers/promises';
import { deriveKey, type Ledger } from '@sendonce/core';
import type { Queue } from 'bullmq';
import { type Email, jobIdsOf, keyOf } from './email.ts';
import type { History } from './history.ts';
import { timing } from './timing.ts';

export interface ProducerOptions {
  readonly ledger: Ledger;
  readonly queue: Queue;
  readonly emails: readonly Email[];
  readonly history: History;
}

/**
 * What the program that schedules emails does with them afterwards: it cancels some, and moves
 * some.
 */
export function startProducer({ ledger, queue, emails, history }: ProducerOptions) {
  const cancelled = new Set<number>();
  const leaves = new AbortController();
  const { signal } = leaves;
  let moves = 0;

  async function cancel(email: Email): Promise<void> {
    const key = deriveKey(keyOf(email));
    const by = 'support';
    const { retentionMs } = timing;
    const { state } = await ledger.cancel({ key, by, retentionMs });
    if (state === 'cancelled') cancelled.add(email.number);
    history.note({ email: email.number, who: 'support', what: `cancel: ${state}` });
  }

  async function move(email: Email, toMs: number): Promise<void> {
    const delay = Math.max(0, history.startedMs + toMs - Date.now());
    for (const id of jobIdsOf(email)) {
      const job = await queue.getJob(id);
      // One that has become due in the meantime stays where it is.
      const moved = await job?.changeDelay(delay).then(
        () => true,
        () => false,
      );
      if (moved) moves += 1;
    }
    history.note({ email: email.number, who: 'producer', what: `moved to ${toMs} ms` });
  }

  const tasks = emails.flatMap((email) => {
    const { cancelledMs, moved } = email;
    return [
      ...(cancelledMs === undefined ? [] : [{ atMs: cancelledMs, run: () => cancel(email) }]),
      ...(moved ? [{ atMs: moved.atMs, run: () => move(email, moved.toMs) }] : []),
    ];
  });

  const done = (async () => {
    const running = new Set<Promise<void>>();
    for (const { atMs, run } of tasks.toSorted((one, other) => one.atMs - other.atMs)) {
      const leftMs = history.startedMs + atMs - Date.now();
      if (leftMs > 0) await sleep(leftMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) break;
      // A ledger or a queue that does not answer: then it is not known whether it was done.
      const task = run().catch(() => {});
      running.add(task);
      void task.then(() => running.delete(task));
    }
    await Promise.all(running);
  })();

  return {
    /** The emails whose cancellation was acknowledged. */
    cancelled: (): ReadonlySet<number> => cancelled,
    moves: () => moves,
    async stop() {
      leaves.abort();
      await done;
    },
  };
}
