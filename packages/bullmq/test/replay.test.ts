import { currentClaim } from '@sendonce/core';
import { expect, test } from 'vitest';
import { once, type OnceOptions } from '../src/index.ts';
import { type Job, onBothVersions, startStage } from './stage.ts';

const key = (job: Job) => ['notice', job.data.order];

onBothVersions((bullmq) => {
  /** A provider that knows its keys for ever, and whose first answers are lost. */
  function open(lost: number, options: Partial<OnceOptions<Job>> = {}) {
    const stage = startStage(bullmq);
    const accepted = new Set<string>();
    const posts: string[] = [];
    const processor = once(
      async () => {
        const claim = currentClaim()!;
        await claim.dispatch();
        posts.push(claim.key);
        accepted.add(claim.key);
        if (posts.length <= lost) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
        return { id: 'id-1' };
      },
      { ledger: stage.ledger, key, dispatch: 'at-send', ...options },
    );
    stage.worker(processor);
    const add = (job = {}) => stage.queue().add('notice', { order: 7 }, job);
    return { stage, add, accepted, posts, counters: processor.counters };
  }

  test('an email in doubt comes back within the window, and is sent: one email, no attempt burnt', async () => {
    const { stage, add, accepted, posts, counters } = open(2, { replayWithinMs: 60_000 });
    const ended = await stage.ended(await add());
    expect(ended).toMatchObject({
      state: 'completed',
      attemptsMade: 1,
      returnvalue: { id: 'id-1' },
    });
    expect(accepted.size).toBe(1);
    expect(posts).toHaveLength(3);
    expect(counters).toMatchObject({ 'in-doubt': 2, replayed: 2, sent: 1 });
    expect(ended.logs.join()).toContain('delayed, then sent again under the same idempotency key');
  });

  test('the window is over: the job fails, the email is held and listed', async () => {
    const { stage, add, posts } = open(99, { replayWithinMs: 400 });
    const ended = await stage.ended(await add());
    expect(ended).toMatchObject({ state: 'failed', attemptsMade: 1 });
    expect(ended.failedReason).toContain('is in doubt');
    // Each of them within the window.
    expect(posts.length).toBeGreaterThan(1);
    const listed = [];
    for await (const record of stage.ledger.list({ state: 'in-doubt' })) listed.push(record.state);
    expect(listed).toEqual(['in-doubt']);
    await (await stage.queue().getFailed())[0]?.retry();
    const before = posts.length;
    expect(await stage.ended(ended)).toMatchObject({ state: 'failed' });
    expect(posts).toHaveLength(before);
  });

  test('onBusy "throw": the attempts of the queue are the replays', async () => {
    const { stage, add, posts } = open(2, { replayWithinMs: 60_000, onBusy: 'throw' });
    const ended = await stage.ended(await add({ attempts: 5 }));
    expect(ended).toMatchObject({ state: 'completed', attemptsMade: 3 });
    expect(posts).toHaveLength(3);
  });

  test('without replayWithinMs, a job in doubt fails at once', async () => {
    const { stage, add, posts } = open(1);
    expect(await stage.ended(await add({ attempts: 5 }))).toMatchObject({
      state: 'failed',
      attemptsMade: 1,
    });
    expect(posts).toHaveLength(1);
  });
});
