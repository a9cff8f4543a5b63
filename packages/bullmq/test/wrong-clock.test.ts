import { deriveKey } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { eventually } from '@sendonce/testkit';
import { expect, onTestFinished, test, vi } from 'vitest';
import { once } from '../src/index.ts';
import { type Job, onBothVersions, startStage } from './stage.ts';

const HOUR_MS = 60 * 60 * 1000;

/** Sets the clock of this process: that of its workers, not that of Redis. */
function setClockAhead(byMs: number): () => void {
  const now = Date.now.bind(Date);
  const spy = vi.spyOn(Date, 'now').mockImplementation(() => now() + byMs);
  const restore = () => spy.mockRestore();
  onTestFinished(restore);
  return restore;
}

onBothVersions((bullmq) => {
  test.each([
    ['two hours ahead', 2 * HOUR_MS],
    ['two hours behind', -2 * HOUR_MS],
  ])(
    'a copy that a worker parks whose clock is %s comes back soon, by the clocks of the others',
    async (_name, byMs) => {
      const stage = startStage(bullmq);
      const { ledger } = stage;
      const other = {
        key: deriveKey(['notice', 7]),
        token: createToken(),
        leaseMs: 60_000,
        retentionMs: 600_000,
      };
      await ledger.claim({ ...other, dispatched: true });

      const setRight = setClockAhead(byMs);
      let sent = 0;
      const processor = once(async () => (sent += 1), { ledger, key: () => ['notice', 7] });
      stage.worker(processor);
      const job = await stage.queue().add('n', {});
      await eventually(async () =>
        expect((await stage.look(job)).attemptsStarted).toBeGreaterThan(1),
      );
      await vi
        .waitUntil(async () => (await stage.look(job)).state === 'delayed', { timeout: 1_500 })
        .catch(() => {});
      setRight();
      const startedMs = Date.now();
      // It was looked at a few times, and not as fast as the machine can.
      expect(processor.counters.busy).toBeLessThan(20);

      await ledger.release(other);
      const ended = await stage.ended(job);
      expect(ended).toMatchObject({ state: 'completed', attemptsMade: 1 });
      expect(sent).toBe(1);
      expect(Date.now() - startedMs).toBeLessThan(60_000);
    },
    90_000,
  );

  test('a busy email does not stop the others on a machine whose clock is wrong', async () => {
    const stage = startStage(bullmq);
    const { ledger } = stage;
    const busy = { key: deriveKey(['notice', 1]), token: createToken() };
    await ledger.claim({ ...busy, leaseMs: 60_000, retentionMs: 600_000, dispatched: true });
    const queue = stage.queue();
    const jobs = [];
    for (let n = 1; n <= 4; n++) jobs.push(await queue.add('n', { n }));
    setClockAhead(2 * HOUR_MS);
    const processor = once(async () => {}, { ledger, key: (job: Job) => ['notice', job.data.n] });
    stage.worker(processor);
    for (const job of jobs.slice(1)) {
      expect(await stage.ended(job)).toMatchObject({ state: 'completed' });
    }
    expect(processor.counters).toMatchObject({ sent: 3 });
    await ledger.release(busy);
    await stage.ended(jobs[0]!);
  });

  test('a worker whose clock is right delays a copy, and holds no slot for it', async () => {
    const stage = startStage(bullmq);
    const { ledger } = stage;
    const busy = { key: deriveKey(['notice', 1]), token: createToken() };
    await ledger.claim({ ...busy, leaseMs: 60_000, retentionMs: 600_000, dispatched: true });
    const processor = once(async () => {}, { ledger, key: (job: Job) => ['notice', job.data.n] });
    stage.worker(processor);
    const parked = await stage.queue().add('n', { n: 1 });
    await eventually(async () => expect((await stage.look(parked)).state).toBe('delayed'));
    const job = await stage.queue().add('n', { n: 2 });
    expect(await stage.ended(job)).toMatchObject({ state: 'completed' });
    await ledger.release(busy);
    await stage.ended(parked);
  });
});
