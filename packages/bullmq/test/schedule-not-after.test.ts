import { deriveKey, jobIdOf, NotSentError } from '@sendonce/core';
import { setTimeout as sleep } from 'node:timers/promises';
import * as bullmq6 from 'bullmq';
import { describe, expect, test, vi } from 'vitest';
import { delayedEmails, once } from '../src/index.ts';
import { type Job, onBothVersions, type Stage, startStage } from './stage.ts';

interface Notice {
  readonly order: number;
}
const order: Notice = { order: 7 };
const select = ({ order: number }: Notice) => ['notice', number];
const key = deriveKey(select(order));
const fromNow = (ms: number) => new Date(Date.now() + ms);
const HOUR_MS = 60 * 60 * 1000;
const inAnHour = fromNow(HOUR_MS);

function open(stage: Stage, job: object = {}) {
  const { ledger } = stage;
  const queue = stage.queue();
  const emails = delayedEmails<Notice>(queue, { ledger, key: select, job });
  const sent: number[] = [];
  let fails = false;
  const work = () =>
    stage.worker(
      once(
        async (one: Job) => {
          if (fails) throw new NotSentError('The order is locked.');
          sent.push((one.data as Notice).order);
        },
        { ledger, key: (one: Job) => select(one.data as Notice) },
      ),
    );
  const stateNow = async () => (await emails.status(order)).state;
  const failFirst = async () => {
    fails = true;
    await expect.poll(stateNow).toBe('failed');
    fails = false;
  };
  return { queue, emails, sent, work, stateNow, failFirst };
}

onBothVersions((bullmq) => {
  test('an email whose time is over when a worker starts is skipped, and status() says so', async () => {
    const stage = startStage(bullmq);
    const { emails, sent, work, stateNow } = open(stage);
    const notAfter = fromNow(200);
    await emails.schedule(order, { delay: 0, notAfter });
    expect(await emails.status(order)).toMatchObject({ state: 'due', notAfter });
    await sleep(250);
    work();
    await expect.poll(stateNow).toBe('skipped');
    expect(await emails.status(order)).toMatchObject({ state: 'skipped', reason: 'not-after' });
    expect(sent).toEqual([]);
    // A skip blocks nothing.
    expect(await emails.schedule(order, { delay: 0 })).toMatchObject({ state: 'scheduled' });
    await expect.poll(stateNow).toBe('sent');
  });

  test('an email whose time is not over is sent', async () => {
    const stage = startStage(bullmq);
    const { emails, sent, work, stateNow } = open(stage);
    work();
    await emails.schedule(order, { delay: 50, notAfter: Date.now() + HOUR_MS });
    await expect.poll(stateNow).toBe('sent');
    expect(sent).toEqual([7]);
  });

  test('once() has a limit as well: the earlier one counts', async () => {
    const stage = startStage(bullmq);
    const { emails, stateNow } = open(stage);
    const limits: Record<number, [scheduled: number, chosen: number]> = {
      7: [HOUR_MS, -1],
      8: [100, HOUR_MS],
    };
    for (const [number, [scheduled]] of Object.entries(limits)) {
      await emails.schedule({ order: Number(number) }, { delay: 0, notAfter: fromNow(scheduled) });
    }
    await sleep(150);
    const processor = once(async () => {}, {
      ledger: stage.ledger,
      key: (one: Job) => select(one.data as Notice),
      notAfter: ({ data }) => fromNow(limits[(data as Notice).order]![1]),
    });
    stage.worker(processor);
    await expect.poll(() => processor.counters.skipped).toBe(2);
    expect(await stateNow()).toBe('skipped');
  });

  test('scheduleBulk() and flowJob() have it, and an email without it has the stamp of before', async () => {
    const stage = startStage(bullmq);
    const { queue, emails, sent, work } = open(stage);
    const notAfter = fromNow(200);
    await emails.scheduleBulk([
      { data: order, delay: 0, notAfter },
      { data: { order: 8 }, delay: 0 },
    ]);
    const { name, data, opts } = await emails.flowJob({ order: 9 }, { delay: 0, notAfter });
    await queue.add(name, data, opts);
    const versions = (await queue.getJobs()).map((job) => [
      (job.data as Notice).order,
      (job.opts as { sendonce?: { version: number } }).sendonce?.version,
    ]);
    expect(Object.fromEntries(versions)).toEqual({ 7: 2, 8: 1, 9: 2 });
    await sleep(250);
    work();
    await expect.poll(async () => (await emails.status({ order: 9 })).state).toBe('skipped');
    await expect.poll(() => sent).toEqual([8]);
  });

  test('a second schedule() says which limit the first one gave', async () => {
    const { emails } = open(startStage(bullmq));
    const notAfter = fromNow(2 * HOUR_MS);
    await emails.schedule(order, { delay: HOUR_MS, notAfter });
    const again = await emails.schedule(order, { delay: 0, notAfter: fromNow(1000) });
    expect(again).toMatchObject({ state: 'already-scheduled', notAfter });
    await emails.schedule({ order: 8 }, { delay: HOUR_MS });
    const other = await emails.schedule({ order: 8 }, { delay: 0, notAfter });
    expect(other).not.toHaveProperty('notAfter');
  });

  describe('reschedule()', () => {
    test('keeps the limit, and refuses a time at which it is over', async () => {
      const { emails } = open(startStage(bullmq));
      const notAfter = fromNow(2 * HOUR_MS);
      const { at } = (await emails.schedule(order, { delay: HOUR_MS, notAfter })) as { at: Date };
      const moved = await emails.reschedule(order, { delay: 1.5 * HOUR_MS });
      expect(moved.state).toBe('rescheduled');
      expect(await emails.status(order)).toMatchObject({ state: 'scheduled', notAfter });
      const refused = emails.reschedule(order, { delay: 3 * HOUR_MS });
      await expect(refused).rejects.toMatchObject({ option: 'notAfter', mayHaveLeft: 'no' });
      await expect(refused).rejects.toThrow('Nothing was moved. Give a new "notAfter" as well.');
      const { at: later } = (await emails.status(order)) as { at: Date };
      expect(later.getTime()).toBeLessThan(notAfter.getTime());
      expect(later.getTime()).toBeGreaterThan(at.getTime());
    });

    test('gives another limit: the email has one job, with its data and its options', async () => {
      const stage = startStage(bullmq);
      const { queue, emails, sent, work, stateNow } = open(stage, { attempts: 5, priority: 3 });
      await emails.schedule(order, { delay: HOUR_MS, notAfter: fromNow(2 * HOUR_MS) });
      // More often than an email has job ids.
      for (let hours = 3; hours < 9; hours += 1) {
        const times = { delay: hours * HOUR_MS, notAfter: fromNow((hours + 1) * HOUR_MS) };
        expect(await emails.reschedule(order, times)).toMatchObject({ state: 'rescheduled' });
        const { notAfter } = times;
        expect(await emails.status(order)).toMatchObject({ state: 'scheduled', notAfter });
        const jobs = await queue.getJobs();
        expect(jobs).toHaveLength(1);
        expect(jobs[0]).toMatchObject({ data: order, opts: { attempts: 5, priority: 3 } });
      }
      work();
      await emails.reschedule(order, { delay: 0, notAfter: fromNow(HOUR_MS) });
      await expect.poll(stateNow).toBe('sent');
      expect(sent).toEqual([7]);
    });

    test('again, after the old job could not be removed: the new job stays the only one', async () => {
      const { queue, emails } = open(startStage(bullmq));
      await emails.schedule(order, { delay: HOUR_MS });
      const removes = vi.spyOn(bullmq.Job.prototype, 'remove').mockRejectedValueOnce(new Error());
      const times = { delay: HOUR_MS, notAfter: fromNow(2 * HOUR_MS) };
      expect(await emails.reschedule(order, times)).toMatchObject({ state: 'rescheduled' });
      removes.mockRestore();
      expect((await queue.getJobs()).map(({ id }) => id)).toEqual([`${jobIdOf(key)}.2`]);
    });

    test('gives a limit to an email that had none, and takes it into account', async () => {
      const stage = startStage(bullmq);
      const { emails, sent, work, stateNow } = open(stage);
      await emails.schedule(order, { delay: HOUR_MS });
      await emails.reschedule(order, { delay: 0, notAfter: fromNow(100) });
      await sleep(150);
      work();
      await expect.poll(stateNow).toBe('skipped');
      expect(sent).toEqual([]);
    });

    test('gives a later limit to an email that is due, while its queue is paused', async () => {
      const stage = startStage(bullmq);
      const { queue, emails, sent, work, stateNow } = open(stage);
      await queue.pause();
      await emails.schedule(order, { delay: 0, notAfter: fromNow(100) });
      await sleep(150);
      await expect(emails.reschedule(order, { delay: 0 })).rejects.toThrow('never be sent');
      const later = { delay: 0, notAfter: fromNow(HOUR_MS) };
      expect(await emails.reschedule(order, later)).toMatchObject({ state: 'rescheduled' });
      work();
      await queue.resume();
      await expect.poll(stateNow).toBe('sent');
      expect(sent).toEqual([7]);
    });

    test('of a failed email: keeps its limit, or gives another one', async () => {
      const stage = startStage(bullmq);
      const { emails, sent, work, stateNow, failFirst } = open(stage);
      const notAfter = fromNow(HOUR_MS);
      const failing = failFirst();
      work();
      await emails.schedule(order, { delay: 0, notAfter });
      await failing;
      await expect(emails.reschedule(order, { delay: 2 * HOUR_MS })).rejects.toThrow(
        'never be sent',
      );
      await emails.reschedule(order, { delay: 0.5 * HOUR_MS });
      expect(await emails.status(order)).toMatchObject({ state: 'scheduled', notAfter });
      const later = fromNow(3 * HOUR_MS);
      await emails.reschedule(order, { delay: 2 * HOUR_MS, notAfter: later });
      expect(await emails.status(order)).toMatchObject({ state: 'scheduled', notAfter: later });
      await emails.reschedule(order, { delay: 0 });
      await expect.poll(stateNow).toBe('sent');
      expect(sent).toEqual([7]);
    });

    test('an email that is part of a flow keeps its limit, and is not moved', async () => {
      const stage = startStage(bullmq);
      const { queue, emails } = open(stage);
      const flow = stage.adopt(
        new bullmq.FlowProducer({ connection: stage.connection, prefix: stage.prefix }),
      );
      const email = await emails.flowJob(order, { delay: HOUR_MS, notAfter: fromNow(2 * HOUR_MS) });
      await flow.add({ name: 'parent', queueName: 'q', data: {}, children: [email] });
      const times = { delay: 3 * HOUR_MS, notAfter: fromNow(4 * HOUR_MS) };
      await expect(emails.reschedule(order, times)).rejects.toThrow('part of a flow');
      expect(await queue.getJobCounts('delayed', 'waiting-children')).toEqual({
        delayed: 1,
        'waiting-children': 1,
      });
      const { at } = (await emails.status(order)) as { at: Date };
      expect(at.getTime()).toBeLessThan(Date.now() + 2 * HOUR_MS);
    });

    test('of an email that is cancelled meanwhile: no job is left that could send it', async () => {
      const stage = startStage(bullmq);
      const { queue, emails } = open(stage);
      await emails.schedule(order, { delay: HOUR_MS });
      const add = queue.add.bind(queue);
      queue.add = async (...job) => {
        const added = await add(...job);
        await stage.ledger.cancel({ key, retentionMs: HOUR_MS, by: 'support' });
        return added;
      };
      const times = { delay: HOUR_MS, notAfter: fromNow(2 * HOUR_MS) };
      expect(await emails.reschedule(order, times)).toMatchObject({
        state: 'too-late',
        email: { state: 'cancelled' },
      });
      // The first one completes as cancelled.
      expect(await queue.getJobs()).toHaveLength(1);
    });
  });
});

describe('a "notAfter" that schedule() and reschedule() refuse', () => {
  const stage = () => startStage(bullmq6);
  test.each([
    ['before "at"', () => ({ at: fromNow(HOUR_MS), notAfter: fromNow(1000) }), 'to be after'],
    ['equal to "at"', () => ({ at: inAnHour, notAfter: inAnHour }), 'to be after'],
    ['in the past', () => ({ delay: 0, notAfter: fromNow(-1000) }), 'to be after'],
    ['an invalid date', () => ({ delay: 0, notAfter: new Date('no') }), 'milliseconds since 1970'],
    ['a duration', () => ({ delay: 0, notAfter: 60_000 }), 'milliseconds since 1970'],
    ['NaN', () => ({ delay: 0, notAfter: Number.NaN }), 'NaN'],
    ['a text', () => ({ delay: 0, notAfter: '2099-01-01' as never }), 'pass new Date'],
    ['null', () => ({ delay: 0, notAfter: null as never }), 'null'],
  ])('%s', async (_name, times, shown) => {
    const { emails, queue } = open(stage());
    const scheduled = emails.schedule(order, times());
    await expect(scheduled).rejects.toMatchObject({ option: 'notAfter', mayHaveLeft: 'no' });
    await expect(scheduled).rejects.toThrow(shown);
    await expect(scheduled).rejects.toThrow('Nothing was scheduled.');
    await emails.schedule(order, { delay: HOUR_MS });
    await expect(emails.reschedule(order, times())).rejects.toThrow('Nothing was moved.');
    expect(await queue.getJobCountByTypes('delayed')).toBe(1);
  });
});
