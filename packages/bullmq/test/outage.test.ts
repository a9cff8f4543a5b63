import { deriveKey, perform } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { redisLedger } from '@sendonce/redis';
import { type RedisProcess, startRedis } from '@sendonce/testkit';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { once } from '../src/index.ts';
import { key, select } from './mailer.ts';
import { type Job, onBothVersions, type Stage, startStage } from './stage.ts';

const answerWithinMs = 300;
/** A claim without an answer is given back for a third of it. */
const leaseMs = 1_500;

/** A server for the ledger alone, by a client as BullMQ wants it: it would wait for ever. */
async function ledgerServer(stage: Stage) {
  const server = await startRedis();
  stage.onEnd(() => server.stop());
  const client = stage.client(server.url, { maxRetriesPerRequest: null });
  return { server, client, ledger: redisLedger(client, { answerWithinMs }) };
}

async function frozen(server: RedisProcess, run: () => Promise<void>): Promise<void> {
  server.pause();
  try {
    await run();
  } finally {
    server.resume();
  }
}

onBothVersions((bullmq) => {
  test.each(['before-processor', 'at-send'] as const)(
    '%s: a frozen ledger costs no attempt, says so, and the email is sent when it is back',
    async (dispatch) => {
      const stage = startStage(bullmq);
      const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
      stage.onEnd(() => warned.mockRestore());
      const { server, ledger } = await ledgerServer(stage);
      const events: string[] = [];
      let runs = 0;
      const processor = once(async (_job: Job) => void (runs += 1), {
        ledger,
        key: select,
        dispatch,
        ...(dispatch === 'at-send' && { undispatched: 'sent' }),
        leaseMs,
        onEvent: ({ type }) => void events.push(type),
      });
      // A warning comes once for each queue of a process.
      const queue = createToken();
      stage.worker(processor, { queue });
      // Scripts are loaded, and the connection is there.
      await ledger.read(key);
      let job: { id?: string | undefined } = {};
      await frozen(server, async () => {
        // BullMQ's default: one attempt.
        job = await stage.queue(queue).add('notice', { order: 7 });
        await expect.poll(() => processor.counters.unavailable, { timeout: 30_000 }).toBe(2);
        const seen = await stage.look(job, { queue });
        expect(seen).toMatchObject({ attemptsMade: 0 });
        expect(seen.logs.join()).toContain('the ledger does not answer: nothing was sent');
        expect(runs).toBe(0);
      });
      const ended = await stage.ended(job, { queue });
      expect(ended).toMatchObject({ state: 'completed', attemptsMade: 1 });
      expect(runs).toBe(1);
      expect(events).toContain('unavailable');
      const messages = warned.mock.calls.map(([message]) => String(message)).join('\n');
      expect(messages).toContain(`${server.host}:${server.port}`);
    },
    60_000,
  );

  test('"onUnavailable: throw" fails the attempt, as the queue counts it', async () => {
    const stage = startStage(bullmq);
    const { server, ledger } = await ledgerServer(stage);
    stage.worker(
      once(async () => 'sent', { ledger, key: select, leaseMs, onUnavailable: 'throw' }),
    );
    await ledger.read(key);
    await frozen(server, async () => {
      const job = await stage.queue().add('notice', { order: 7 });
      const seen = await stage.ended(job);
      expect(seen).toMatchObject({ state: 'failed', attemptsMade: 1 });
      expect(seen.failedReason).toContain(`no answer within ${answerWithinMs} ms`);
    });
  });

  test('a worker closes while the ledger is frozen', async () => {
    const stage = startStage(bullmq);
    const { server, ledger } = await ledgerServer(stage);
    const worker = stage.worker(once(async () => 'sent', { ledger, key: select, leaseMs }));
    await ledger.read(key);
    await frozen(server, async () => {
      await stage.queue().add('notice', { order: 7 });
      await expect.poll(async () => stage.queue().getActiveCount()).toBe(1);
      const startedMs = performance.now();
      await worker.close();
      expect(performance.now() - startedMs).toBeLessThan(15_000);
    });
  });

  test('a client that was closed first is recognised: the worker closes soon', async () => {
    const stage = startStage(bullmq);
    const { client, ledger } = await ledgerServer(stage);
    let started: () => void;
    const hasStarted = new Promise<void>((resolve) => (started = resolve));
    const worker = stage.worker(
      once(
        async () => {
          started();
          await sleep(200);
          return 'sent';
        },
        { ledger, key: select },
      ),
    );
    await stage.queue().add('notice', { order: 7 });
    await hasStarted;
    await client.quit();
    const startedMs = performance.now();
    await worker.close();
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    const seen = (await stage.queue().getJobs(['failed']))[0];
    expect(seen?.failedReason).toContain('It was sent.');
  });
});

test('perform() waits for the result of another attempt for waitMs', async () => {
  const stage = startStage(await import('bullmq'));
  const { ledger } = stage;
  const email = deriveKey(['notice', 9]);
  const first = perform(
    async () => {
      await sleep(400);
      return 'the result';
    },
    { ledger, key: email },
  );
  await expect.poll(() => ledger.read(email)).toMatchObject({ state: 'dispatched' });
  const impatient = await perform(() => 'never', { ledger, key: email, waitMs: 50 });
  expect(impatient.state).toBe('busy');
  const patient = await perform(() => 'never', { ledger, key: email, waitMs: 10_000 });
  expect(patient).toMatchObject({ state: 'duplicate', value: 'the result' });
  expect(await first).toMatchObject({ state: 'sent' });
  const wrong = perform(() => 'never', { ledger, key: email, waitMs: -1 });
  await expect(wrong).rejects.toMatchObject({ option: 'waitMs' });
});

test('a deadline that is longer than the lease is refused', async () => {
  const stage = startStage(await import('bullmq'));
  const ledger = redisLedger(stage.redis, { answerWithinMs: 5_000 });
  expect(() => once(async () => 'sent', { ledger, key: select, leaseMs: 4_000 })).toThrow(
    expect.objectContaining({ option: 'answerWithinMs' }),
  );
  for (const wrong of [0, -1, 1.5, Infinity, '10s', null]) {
    expect(() => redisLedger(stage.redis, { answerWithinMs: wrong as never })).toThrow(
      expect.objectContaining({ option: 'answerWithinMs' }),
    );
  }
});
