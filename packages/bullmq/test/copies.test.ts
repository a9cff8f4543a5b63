import { currentClaim } from '@sendonce/core';
import { eventually } from '@sendonce/testkit';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { once, type OnceOptions } from '../src/index.ts';
import { gate, type Job, onBothVersions, startStage, type WorkerOptions } from './stage.ts';

const select = (job: Job) => ['notice', job.data.order];

/** A lock that is lost within a second, and found to be lost within another. */
const nervous: WorkerOptions = { lockDuration: 1_000, stalledInterval: 300, maxStalledCount: 5 };

onBothVersions((bullmq) => {
  test.each(['before-processor', 'at-send'] as const)(
    '32 workers, 32 copies of one delayed job: one email, 32 jobs completed with one result (%s)',
    async (dispatch) => {
      const stage = startStage(bullmq);
      const sent: string[] = [];
      const options: OnceOptions<Job> = { ledger: stage.ledger, key: select, dispatch };
      const processor = once(async (job: Job) => {
        await sleep(5);
        await currentClaim()!.dispatch();
        sent.push(job.id ?? '');
        await sleep(20);
        return { messageId: `<${job.id}@shop.example>` };
      }, options);
      for (let n = 0; n < 32; n++) stage.worker(processor);
      const jobs = await stage.queue().addBulk(
        Array.from({ length: 32 }, () => ({
          name: 'notice',
          data: { order: 7 },
          opts: { delay: 300 },
        })),
      );
      const ended = await Promise.all(jobs.map((job) => stage.ended(job)));
      expect(sent).toHaveLength(1);
      for (const job of ended) {
        expect(job).toMatchObject({
          state: 'completed',
          attemptsMade: 1,
          returnvalue: { messageId: `<${sent[0]}@shop.example>` },
        });
      }
      expect(processor.counters).toMatchObject({
        claimed: 1,
        dispatched: 1,
        sent: 1,
        duplicate: 31,
      });
    },
  );

  test('a jobId that is added again after removeOnComplete sends nothing more', async () => {
    const stage = startStage(bullmq);
    const sent: string[] = [];
    const results: unknown[] = [];
    const processor = once(
      async (job: Job) => {
        sent.push(job.id ?? '');
        return 'the original';
      },
      { ledger: stage.ledger, key: select },
    );
    stage.worker(processor).on('completed', (_job, result) => results.push(result));
    for (let n = 1; n <= 5; n++) {
      const options = { jobId: 'notice-7', removeOnComplete: true };
      await stage.queue().add('notice', { order: 7 }, options);
      await eventually(() => expect(results).toHaveLength(n));
      await eventually(async () => expect(await stage.queue().getJob('notice-7')).toBeUndefined());
    }
    expect(sent).toEqual(['notice-7']);
    expect(results).toEqual(Array(5).fill('the original'));
  });

  test('a worker closed by force mid-job: the job stalls, runs again, and sends nothing more', async () => {
    const stage = startStage(bullmq);
    const { wait, open } = gate();
    const sent: string[] = [];
    const processor = once(
      async () => {
        sent.push('mail');
        await wait;
        return 'the original';
      },
      { ledger: stage.ledger, key: select },
    );
    const first = stage.worker(processor, nervous);
    const job = await stage.queue().add('notice', { order: 7 });
    await eventually(() => expect(sent).toHaveLength(1));
    await first.close(true);
    stage.worker(processor, nervous);
    // The other worker has taken the stalled job and found that its email is still being sent.
    await eventually(() => expect(processor.counters.busy).toBeGreaterThan(0));
    open();
    expect(await stage.ended(job)).toMatchObject({
      state: 'completed',
      returnvalue: 'the original',
    });
    expect(sent).toEqual(['mail']);
    expect(processor.counters).toMatchObject({ sent: 1, duplicate: 1 });
  });

  test('a lock that is lost mid-job: the second run sends nothing, both give one result', async () => {
    const stage = startStage(bullmq);
    const { wait, open } = gate();
    const sent: string[] = [];
    const processor = once(
      async () => {
        await wait;
        await currentClaim()!.dispatch();
        sent.push('mail');
        return 'the original';
      },
      { ledger: stage.ledger, key: select, dispatch: 'at-send' },
    );
    for (let n = 0; n < 2; n++) stage.worker(processor, { ...nervous, lockRenewTime: 60_000 });
    const job = await stage.queue().add('notice', { order: 7 });
    await eventually(() => expect(processor.counters.busy).toBeGreaterThan(0));
    open();
    expect(await stage.ended(job)).toMatchObject({
      state: 'completed',
      returnvalue: 'the original',
    });
    expect(sent).toEqual(['mail']);
  });

  test('a run that lost its lock and its claim does not move the job from under its new owner', async () => {
    const stage = startStage(bullmq);
    const gates = [gate(), gate()];
    const sent: number[] = [];
    let runs = 0;
    const processor = once(
      async () => {
        const run = runs++;
        await gates[run]?.wait;
        await currentClaim()!.dispatch();
        sent.push(run);
        return run;
      },
      { ledger: stage.ledger, key: select, dispatch: 'at-send' },
    );
    const zombie = { ...nervous, lockRenewTime: 60_000 };
    const errors: string[] = [];
    stage.worker(processor, zombie).on('error', ({ message }) => errors.push(message));
    const job = await stage.queue().add('notice', { order: 7 });
    await eventually(() => expect(runs).toBe(1));
    // As a pause longer than the lease would: the claim is given back.
    await stage.redis.del(...(await stage.ledgerKeys()));
    stage.worker(processor, { ...nervous, stalledInterval: 200 });
    await eventually(() => expect(runs).toBe(2));
    gates[0]!.open();
    await eventually(() => expect(errors.join()).toMatch(/lock/i));
    expect(await stage.look(job)).toMatchObject({ state: 'active', attemptsStarted: 2 });
    gates[1]!.open();
    expect(await stage.ended(job)).toMatchObject({
      state: 'completed',
      returnvalue: 1,
      attemptsStarted: 2,
    });
    expect(sent).toEqual([1]);
  });

  test('every iteration of a job scheduler sends once, though all have the same data', async () => {
    const stage = startStage(bullmq);
    const sent: string[] = [];
    const data = { order: 7 };
    const processor = once(
      async (job: Job) => {
        expect(job.data).toEqual(data);
        sent.push(job.id ?? '');
      },
      { ledger: stage.ledger, key: select },
    );
    stage.worker(processor);
    stage.worker(processor);
    await stage.queue().upsertJobScheduler('digest', { every: 200 }, { name: 'digest', data });
    await eventually(() => expect(sent.length).toBeGreaterThanOrEqual(4));
    await stage.queue().removeJobScheduler('digest');
    expect(new Set(sent).size).toBe(sent.length);
    expect(processor.counters).toMatchObject({ sent: sent.length, duplicate: 0 });

    // Another copy of one iteration is a duplicate.
    const iteration = (await stage.queue().getJob(sent[0]!))!;
    await iteration.retry('completed');
    await eventually(() => expect(processor.counters.duplicate).toBe(1));
    expect(await stage.ended(iteration)).toMatchObject({ state: 'completed' });
    expect(processor.counters.sent).toBe(sent.length);
  });
});
