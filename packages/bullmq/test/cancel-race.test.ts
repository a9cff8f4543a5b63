import { currentClaim, type DispatchMode } from '@sendonce/core';
import { eventually } from '@sendonce/testkit';
import * as bullmq from 'bullmq';
import { expect, test } from 'vitest';
import { type Cancelled, delayedEmails, once } from '../src/index.ts';
import { type Job, startStage } from './stage.ts';

const WORKERS = 32;
const ROUNDS = 500;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test.each<DispatchMode>(['at-send', 'before-processor'])(
  `cancel races ${WORKERS} workers, ${ROUNDS} rounds, %s: emails + cancelled = 1 in each`,
  async (dispatch) => {
    const stage = startStage(bullmq);
    const queue = stage.queue();
    const emails = delayedEmails<{ order: number }>(queue, {
      ledger: stage.ledger,
      key: (data) => data.order,
      job: { removeOnComplete: true },
    });
    const left = new Map<number, number>();
    const processor = once(
      async ({ data }: Job) => {
        // The cancellation comes before the claim, between claim and dispatch, or after it.
        await pause(Math.random() * 6);
        await currentClaim()?.dispatch();
        left.set(data.order, (left.get(data.order) ?? 0) + 1);
      },
      { ledger: stage.ledger, key: (job) => job.data.order as number, dispatch },
    );
    for (let worker = 0; worker < WORKERS; worker += 1) stage.worker(processor);

    const said = new Map<number, Cancelled>();
    let aimMs = 30;
    async function round(order: number): Promise<void> {
      const laterMs = Math.max(0, -aimMs);
      const delay = 20 + laterMs + Math.ceil(Math.random() * 20);
      await emails.schedule({ order }, { delay });
      // What BullMQ delivers twice: copies of the job under other ids.
      const copy = { name: 'copy', data: { order }, opts: { removeOnComplete: true, delay } };
      await queue.addBulk([copy, copy, copy]);
      await pause(Math.max(0, aimMs + Math.random() * 20 - 10));
      const answer = await emails.cancel({ order });
      // Aims at the moment at which both win equally often, however busy the machine is.
      aimMs += answer.state === 'cancelled' ? 1 : -1;
      said.set(order, answer);
    }
    const orders = Array.from({ length: ROUNDS }, (_, order) => order);
    const lanes = Array.from({ length: 8 }, async () => {
      for (let order = orders.shift(); order !== undefined; order = orders.shift()) {
        await round(order);
      }
    });
    await Promise.all(lanes);
    await eventually(
      async () => {
        const counts = await queue.getJobCounts('wait', 'active', 'delayed');
        expect(counts).toEqual({ wait: 0, active: 0, delayed: 0 });
      },
      { timeoutMs: 20_000 },
    );

    let cancelled = 0;
    for (const [order, { state }] of said) {
      // What cancel said is what happened.
      expect([order, state, left.get(order) ?? 0]).toEqual([
        order,
        state,
        state === 'cancelled' ? 0 : 1,
      ]);
      cancelled += Number(state === 'cancelled');
      const { state: finally_ } = await emails.status({ order });
      expect(finally_).toBe(state === 'cancelled' ? 'cancelled' : 'sent');
    }
    expect(said.size).toBe(ROUNDS);
    // If one side always won, this would not be a race.
    expect(cancelled).toBeGreaterThan(ROUNDS / 10);
    expect(cancelled).toBeLessThan(ROUNDS - ROUNDS / 10);
  },
  60_000,
);
