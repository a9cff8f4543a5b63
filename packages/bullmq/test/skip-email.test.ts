import { currentClaim, deriveKey } from '@sendonce/core';
import { createToken } from '@sendonce/core/ledger';
import { expect, test, vi } from 'vitest';
import { delayedEmails, once, skipEmail } from '../src/index.ts';
import { key, notice, select } from './mailer.ts';
import { type Job, nextFailure, onBothVersions, startStage } from './stage.ts';

const modes = ['before-processor', 'at-send'] as const;

onBothVersions((bullmq) => {
  test.each(modes)(
    '%s: a processor that decides not to send completes its job, and the log says why',
    async (dispatch) => {
      const stage = startStage(bullmq);
      const events: string[] = [];
      const processor = once(async () => skipEmail('unsubscribed'), {
        ledger: stage.ledger,
        key: select,
        dispatch,
        onEvent: ({ type, note }) =>
          void events.push(note === undefined ? type : `${type} ${note}`),
      });
      stage.worker(processor);
      const seen = await stage.ended(await notice(stage));
      expect(seen).toMatchObject({ state: 'completed', returnvalue: null });
      expect(seen.logs).toEqual(['sendonce: skipped (unsubscribed): not sent']);
      expect(events.at(-1)).toBe('skipped unsubscribed');
      expect(processor.counters).toMatchObject({ skipped: 1, sent: 0, undispatched: 0 });
      expect(await stage.ledger.read(key)).toMatchObject({
        state: 'skipped',
        note: 'unsubscribed',
      });
    },
  );

  test('a skip blocks nothing: status, schedule, cancel and the next send', async () => {
    const stage = startStage(bullmq);
    let unsubscribed = true;
    const sent: unknown[] = [];
    const select7 = (data: { order: number }) => ['notice', data.order];
    const emails = delayedEmails<{ order: number }>(stage.queue(), {
      ledger: stage.ledger,
      key: select7,
    });
    stage.worker(
      once(
        async (job: Job) => {
          if (unsubscribed) return skipEmail('unsubscribed');
          sent.push(job.data.order);
        },
        { ledger: stage.ledger, key: select },
      ),
    );
    const order = { order: 7 };
    const ended = async () => {
      await expect.poll(() => stage.ledger.read(key)).toMatchObject({ state: 'skipped' });
      await expect.poll(async () => (await stage.queue().getActiveCount()) === 0).toBe(true);
    };
    expect(await emails.schedule(order, { delay: 0 })).toMatchObject({ state: 'scheduled' });
    await ended();
    expect(await emails.status(order)).toMatchObject({ state: 'skipped', reason: 'unsubscribed' });
    expect(await emails.reschedule(order, { delay: 0 })).toMatchObject({ state: 'not-scheduled' });

    // Its job was kept: the next one has the next id.
    const later = await emails.schedule(order, { delay: 60_000 });
    expect(later).toMatchObject({ state: 'scheduled' });
    expect(await emails.status(order)).toMatchObject({ state: 'scheduled' });
    expect(await emails.cancel(order, { by: 'support' })).toMatchObject({ state: 'cancelled' });
    expect(await emails.status(order)).toMatchObject({ state: 'cancelled', by: 'support' });

    const other = { order: 8 };
    await emails.schedule(other, { delay: 0 });
    const otherKey = deriveKey(select7(other));
    await expect.poll(() => stage.ledger.read(otherKey)).toMatchObject({ state: 'skipped' });
    unsubscribed = false;
    expect(await emails.schedule(other, { delay: 0 })).toMatchObject({ state: 'scheduled' });
    await expect.poll(() => stage.ledger.read(otherKey)).toMatchObject({ state: 'sent' });
    expect(sent).toEqual([8]);
  });

  test('a skip after the send fails the job once, and says that the email was sent', async () => {
    const stage = startStage(bullmq);
    const worker = stage.worker(
      once(
        async () => {
          const email = currentClaim()!.begin();
          await email.dispatch();
          email.report({ verdict: 'sent' });
          return skipEmail('too late');
        },
        { ledger: stage.ledger, key: select, dispatch: 'at-send' },
      ),
    );
    const failure = nextFailure(worker);
    const job = await notice(stage);
    expect((await failure).message).toContain('The email was sent.');
    expect(await stage.ended(job)).toMatchObject({ state: 'failed', attemptsMade: 1 });
    expect(await stage.ledger.read(key)).toMatchObject({ state: 'sent' });
  });

  test.each([
    ['in-doubt', 'failed', 'in-doubt'],
    ['sent', 'completed', 'sent'],
    ['skipped', 'completed', 'skipped'],
  ] as const)(
    '"undispatched: %s" on a return without dispatch: the job %s',
    async (undispatched, state, record) => {
      const stage = startStage(bullmq);
      // Something in this process can dispatch.
      await once(async () => currentClaim()?.dispatch(), {
        ledger: stage.ledger,
        key: () => ['warm-up'],
        dispatch: 'at-send',
      })({ data: {} });
      const options = { ledger: stage.ledger, key: select, dispatch: 'at-send' } as const;
      const processor = once(async () => 'sent past the claim', { ...options, undispatched });
      stage.worker(processor);
      const seen = await stage.ended(await notice(stage));
      expect(seen.state).toBe(state);
      const asks = /^sendonce: ended without a dispatch.*atSend\(transporter\)/.test(
        seen.logs.join(),
      );
      expect(asks).toBe(undispatched === 'in-doubt');
      expect(processor.counters).toMatchObject({ undispatched: 1, dispatched: 0, [record]: 1 });
      expect(await stage.ledger.read(key)).toMatchObject({ state: record });
      if (state === 'failed') {
        for (const way of ['atSend(transporter)', 'skipEmail(', '"undispatched"']) {
          expect(seen.failedReason).toContain(way);
        }
      }
    },
  );

  test('at-send with a transporter that has no plugin: one email, and the email is in doubt', async () => {
    Reflect.deleteProperty(globalThis, Symbol.for('@sendonce/core/has-dispatcher'));
    const stage = startStage(bullmq);
    let sends = 0;
    stage.worker(
      once(
        async () => {
          sends += 1;
          throw new Error('after the send');
        },
        { ledger: stage.ledger, key: select, dispatch: 'at-send' },
      ),
    );
    const seen = await stage.ended(await notice(stage));
    expect(seen).toMatchObject({ state: 'failed', attemptsMade: 1 });
    expect(seen.failedReason).toContain('atSend(transporter)');
    expect(sends).toBe(1);
    expect(await stage.ledger.read(key)).toMatchObject({ state: 'in-doubt' });
  });

  test('a result that is too large, or no JSON, does not fail the job of an email that was sent', async () => {
    for (const value of ['x'.repeat(200), { id: 7n }]) {
      const stage = startStage(bullmq);
      const options = { ledger: stage.ledger, key: select, maxResultBytes: 100 };
      const processor = once(async () => value as unknown, options);
      stage.worker(processor);
      const seen = await stage.ended(await notice(stage));
      expect(seen).toMatchObject({ state: 'completed', returnvalue: null });
      expect(seen.logs[0]).toContain('too large or not JSON');
      expect(processor.counters).toMatchObject({ 'result-dropped': 1, sent: 1 });
      const copy = await stage.ended(await notice(stage));
      expect(copy).toMatchObject({ state: 'completed', returnvalue: null });
    }
  });

  test('a key that is too wide: the second email is noticed', async () => {
    const stage = startStage(bullmq);
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    stage.onEnd(() => warned.mockRestore());
    const wide = { ledger: stage.ledger, key: () => ['notice'] };
    const start = (queue: string, onDifferentData?: 'ignore') => {
      const processor = once(async () => 'sent', { ...wide, onDifferentData });
      stage.worker(processor, { queue });
      return processor.counters;
    };
    // A warning comes once for each queue of a process.
    const [own, others, ignoring] = [createToken(), createToken(), createToken()];
    const counters = start(own);
    const othersCounters = start(others);
    const ignoringCounters = start(ignoring, 'ignore');
    const end = async (queue: string, name: string, customer: number) =>
      stage.ended(await stage.queue(queue).add(name, { customer }), { queue });
    await end(own, 'notice', 1);
    await end(own, 'notice', 1);
    expect(counters['different-data']).toBe(0);
    const second = await end(own, 'notice', 2);
    expect(second.logs.join()).toContain('is "key" too wide?');
    expect(counters['different-data']).toBe(1);
    await end(own, 'reminder', 1);
    expect(counters['different-data']).toBe(2);
    await end(others, 'notice', 1);
    expect(othersCounters['different-data']).toBe(1);
    await end(ignoring, 'notice', 3);
    expect(ignoringCounters).toMatchObject({ duplicate: 1, 'different-data': 0 });
    const messages = warned.mock.calls.map(([message]) => String(message));
    expect(messages.filter((message) => message.includes('treated as a duplicate'))).toHaveLength(
      2,
    );
    expect(messages.join()).not.toContain('customer');
  });

  test('a retry whose data were updated is no other email', async () => {
    const stage = startStage(bullmq);
    const processor = once(
      async (job: Job) => {
        await job.updateData({ ...job.data, step: 2 });
        currentClaim()!.report({ verdict: 'sent' });
        throw new Error('after the send');
      },
      { ledger: stage.ledger, key: select },
    );
    stage.worker(processor);
    expect(await stage.ended(await notice(stage))).toMatchObject({ state: 'completed' });
    expect(processor.counters).toMatchObject({ duplicate: 1, 'different-data': 0 });
  });
});
