import { fileURLToPath } from 'node:url';
import { eventually, startWorkerProcess } from '@sendonce/testkit';
import { inThisRun, redisUrl } from '@sendonce/testkit/vitest';
import * as bullmq from 'bullmq';
import { expect, test } from 'vitest';
import { brevoDialect } from '@sendonce/testkit/providers/brevo-server';
import {
  type ProviderServer,
  startProviderServer,
} from '@sendonce/testkit/providers/provider-server';
import { resendDialect } from '@sendonce/testkit/providers/resend-server';
import { type ProviderWorker, startProviderWorker } from './fixtures/provider-worker.ts';
import { type Stage, startStage } from './stage.ts';

const file = fileURLToPath(new URL('fixtures/provider-worker.ts', import.meta.url));
const dialects = { Brevo: brevoDialect, Resend: resendDialect } as const;
/** A process dies in each: pnpm test:all has a hundred. */
const KILLS = inThisRun({ all: 100, sample: 20 });
const LANES = 5;

/** One email whose worker is killed when the provider has accepted it and not yet answered. */
async function killAfterAcceptance(
  stage: Stage,
  server: ProviderServer,
  data: ProviderWorker,
  order: number,
): Promise<bullmq.Job> {
  const job = await stage.queue(data.queue).add('notice', { order });
  const before = server.accepted.length;
  server.setFault('hang-after');
  const worker = await startWorkerProcess({ file, data });
  await eventually(() => expect(server.accepted.length).toBe(before + 1), {
    timeoutMs: 20_000,
    everyMs: 2,
  });
  await worker.kill();
  return job;
}

async function openLane(
  stage: Stage,
  provider: 'Brevo' | 'Resend',
  queue: string,
  windowMs?: number,
) {
  const server = await startProviderServer(dialects[provider]);
  stage.onEnd(() => server.close());
  const { prefix } = stage;
  const { url, apiKey } = server;
  const window = windowMs !== undefined && { windowMs };
  const data = { redisUrl: redisUrl(), prefix, queue, provider, url, apiKey, ...window };
  return { server, data };
}

test.each(['Brevo', 'Resend'] as const)(
  `%s: ${KILLS} workers killed between its acceptance and the record: one email each, resolved by replay`,
  async (provider) => {
    const stage = startStage(bullmq);
    const lanes = Array.from({ length: LANES }, async (_, lane) => {
      const { server, data } = await openLane(stage, provider, `lane${lane}`);
      for (let round = 0; round < KILLS / LANES; round += 1) {
        const job = await killAfterAcceptance(stage, server, data, lane * KILLS + round);
        const next = startProviderWorker(data);
        await eventually(
          async () =>
            expect(await stage.queue(data.queue).getJobState(job.id ?? '')).toBe('completed'),
          { timeoutMs: 20_000, everyMs: 20 },
        );
        await next.close();
        expect(server.accepted).toHaveLength(round + 1);
      }
      // The second request of each was the replay, to the letter.
      const { requests } = server;
      expect(requests).toHaveLength((2 * KILLS) / LANES);
      expect(new Set(requests.map(({ raw }) => raw)).size).toBe(KILLS / LANES);
      return server.accepted.length;
    });
    const accepted = await Promise.all(lanes);
    expect(accepted.reduce((sum, count) => sum + count, 0)).toBe(KILLS);
    const doubts = [];
    for await (const record of stage.ledger.list({ state: 'open' })) doubts.push(record);
    expect(doubts).toEqual([]);
  },
  180_000,
);

test.each(['Brevo', 'Resend'] as const)(
  '%s: the window is over when the next worker comes: held, listed, none sent again',
  async (provider) => {
    const stage = startStage(bullmq);
    const { server, data } = await openLane(stage, provider, 'lane', 400);
    const jobs: bullmq.Job[] = [];
    for (let order = 0; order < 5; order += 1) {
      jobs.push(await killAfterAcceptance(stage, server, data, order));
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    const next = startProviderWorker(data);
    await eventually(async () => expect(await stage.queue('lane').getFailedCount()).toBe(5), {
      timeoutMs: 20_000,
    });
    await next.close();
    expect(server.accepted).toHaveLength(5);
    expect(server.requests).toHaveLength(5);
    const doubts: string[] = [];
    for await (const { state } of stage.ledger.list({ state: 'in-doubt' })) doubts.push(state);
    expect(doubts).toEqual(Array(5).fill('in-doubt'));
    const [failed] = await stage.queue('lane').getFailed();
    expect(failed?.failedReason).toContain('is in doubt');
  },
  60_000,
);
