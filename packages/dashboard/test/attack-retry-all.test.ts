import { setTimeout as sleep } from 'node:timers/promises';
import { once } from '@sendonce/bullmq';
import { chooseDoubts, resolveEmails } from '@sendonce/core/inspect';
import { eventually } from '@sendonce/testkit';
import type { Job } from 'bullmq';
import { expect, test } from 'vitest';
import { startStage } from './stage.ts';

const COUNT = 2000;

test(
  '"retry all" in Bull Board while "resolve --all --not-sent --retry" runs: each is sent or listed',
  { timeout: 120_000 },
  async () => {
    const stage = startStage();
    const { ledger, queue } = stage;
    let isBroken = true;
    const sent = new Set<number>();
    const processor = async (job: Job<{ order: number }>) => {
      if (isBroken) throw Object.assign(new Error('Unauthorized'), { code: '401' });
      sent.add(job.data.order);
    };
    stage.worker(
      once(processor, {
        ledger,
        key: (job) => ['notice', job.data.order],
        resolver: async () => (isBroken ? 'unknown' : (await sleep(100), 'unknown')),
      }) as never,
      { lockMs: 30_000 },
    );
    await queue.addBulk(
      Array.from({ length: COUNT }, (_, order) => ({ name: 'n', data: { order } })),
    );
    await eventually(async () => expect(await queue.getFailedCount()).toBe(COUNT), {
      timeoutMs: 60_000,
    });
    isBroken = false;
    const { doubts } = await chooseDoubts(ledger, {});
    const many = { verdict: 'not-sent', by: 'Ann', retryIn: () => queue } as const;
    const [resolved] = await Promise.all([
      resolveEmails({ ledger }, doubts, many),
      (async () => {
        for (let i = 0; i < 5; i += 1) {
          await queue.retryJobs({ count: 1000 });
          await sleep(200);
        }
      })(),
    ]);
    await sleep(3_000);
    console.log(JSON.stringify(resolved.counts), resolved.problems.length);
    const failed = await queue.getFailed(0, -1);
    let dropped = 0;
    for (const job of failed) {
      const { deriveKey } = await import('@sendonce/core');
      if (!(await ledger.read(deriveKey(['notice', job.data.order])))) dropped += 1;
    }
    console.log({ failed: failed.length, dropped, sent: sent.size });
    expect(dropped).toBe(0);
  },
);
