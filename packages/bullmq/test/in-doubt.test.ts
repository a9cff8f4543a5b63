import { InDoubtError } from '@sendonce/core';
import { eventually } from '@sendonce/testkit';
import { expect, test, vi } from 'vitest';
import { another, key, mailer, notice, putInDoubt } from './mailer.ts';
import { onBothVersions, startStage } from './stage.ts';

onBothVersions((bullmq) => {
  test('in doubt: an unknown error after dispatch fails the job once, with its cause', async () => {
    const stage = startStage(bullmq);
    const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    const { failed, events, sent, counters } = mailer(stage, {}, () => cause);
    const job = await notice(stage);
    const seen = await stage.ended(job);
    expect(seen).toMatchObject({ state: 'failed', attemptsMade: 1, attemptsStarted: 1 });
    expect(seen.failedReason).toMatch(/in doubt.*q:.*resolveEmail\(\)/);
    expect(seen.logs).toEqual([
      expect.stringMatching(
        /^sendonce: in doubt: dispatched by q:1 \(this job\) at \S+Z \(ECONNRESET\), outcome unknown$/,
      ),
    ]);
    expect(failed).toHaveLength(1);
    const { error } = failed[0]!;
    expect(error).toMatchObject({ name: 'UnrecoverableError', code: 'SENDONCE_IN_DOUBT' });
    expect(error.cause).toBeInstanceOf(InDoubtError);
    expect((error.cause as InDoubtError).cause).toBe(cause);
    expect((error.cause as InDoubtError).record).toMatchObject({ key, note: 'ECONNRESET' });
    const listed = [];
    for await (const record of stage.ledger.list({ state: 'in-doubt' })) listed.push(record);
    expect(listed).toMatchObject([{ key, job: { queue: 'q', id: job.id } }]);
    expect(events).toEqual(['claimed', 'dispatched', 'in-doubt']);
    expect(counters).toMatchObject({ 'in-doubt': 1, sent: 0 });
    expect(sent).toEqual([]);
  });

  test('in doubt: a sender that died after dispatch is not sent again', async () => {
    const stage = startStage(bullmq);
    const { sent, failed } = mailer(stage);
    await stage.ledger.claim({ ...another({ leaseMs: 60 }), dispatched: true });
    const job = await notice(stage);
    expect(await stage.ended(job)).toMatchObject({ state: 'failed', attemptsMade: 1 });
    expect(failed).toHaveLength(1);
    expect(sent).toEqual([]);
  });

  test.each([
    ['not-sent', 1],
    ['sent', 0],
  ] as const)(
    'in doubt and resolved by a person as %s: a retry of the job',
    async (verdict, emails) => {
      const stage = startStage(bullmq);
      const { sent } = mailer(stage);
      const doubt = await putInDoubt(stage.ledger);
      const job = await notice(stage);
      await stage.ended(job);
      await stage.ledger.resolve({ ...doubt, verdict, by: 'Ann' });
      await (await stage.queue().getJob(job.id!))!.retry();
      await eventually(async () => expect((await stage.look(job)).state).toBe('completed'));
      expect(sent).toHaveLength(emails);
      expect(await stage.ledger.read(key)).toMatchObject({ state: 'sent' });
    },
  );

  test('in doubt, and the resolver finds "sent": the job completes as a duplicate', async () => {
    const stage = startStage(bullmq);
    const resolver = vi.fn(async () => 'sent' as const);
    const { sent, counters } = mailer(stage, { resolver });
    const doubt = await putInDoubt(stage.ledger);
    expect(await stage.ended(await notice(stage))).toMatchObject({ state: 'completed' });
    expect(resolver).toHaveBeenCalledExactlyOnceWith({
      record: expect.objectContaining({ token: doubt.token, state: 'in-doubt', note: 'ETIMEDOUT' }),
    });
    expect(sent).toEqual([]);
    expect(counters).toMatchObject({ duplicate: 1, claimed: 0 });
  });

  test('in doubt, and the resolver finds "not-sent": the job sends', async () => {
    const stage = startStage(bullmq);
    const { sent, counters } = mailer(stage, { resolver: async () => 'not-sent' });
    await putInDoubt(stage.ledger);
    const job = await notice(stage);
    expect(await stage.ended(job)).toMatchObject({ state: 'completed', attemptsMade: 1 });
    expect(sent).toEqual([job.id]);
    expect(counters).toMatchObject({ claimed: 1, sent: 1 });
  });

  test('a fresh doubt that the resolver finds "not-sent" is retried by BullMQ', async () => {
    const stage = startStage(bullmq);
    let failures = 0;
    const fail = () => (failures++ === 0 ? new Error('socket hang up') : undefined);
    const { sent, failed } = mailer(stage, { resolver: async () => 'not-sent' }, fail);
    const job = await notice(stage);
    expect(await stage.ended(job)).toMatchObject({ state: 'completed', attemptsMade: 2 });
    expect(failed).toMatchObject([{ error: { message: 'socket hang up' } }]);
    expect(sent).toEqual([job.id]);
  });

  test.each([
    ['says "unknown"', async () => 'unknown' as const],
    ['throws', () => Promise.reject(new Error('the provider is down'))],
  ])('in doubt, and the resolver %s: the doubt stays', async (_name, resolver) => {
    const stage = startStage(bullmq);
    const { sent, failed } = mailer(stage, { resolver });
    await putInDoubt(stage.ledger);
    expect(await stage.ended(await notice(stage))).toMatchObject({ state: 'failed' });
    expect(failed).toMatchObject([{ error: { code: 'SENDONCE_IN_DOUBT' }, attemptsMade: 1 }]);
    expect(await stage.ledger.read(key)).toMatchObject({ state: 'in-doubt' });
    expect(sent).toEqual([]);
  });
});
