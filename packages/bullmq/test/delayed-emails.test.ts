import { createServer, connect } from 'node:net';
import { isSendonceError, type Journal, type JournalEntry } from '@sendonce/core';
import { eventually, startTcpProxy } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  type DelayedEmails,
  delayedEmails,
  type DelayedEmailsOptions,
  once,
  type OnceOptions,
} from '../src/index.ts';
import { silentJournal } from './silent-journal.ts';
import { type Job, onBothVersions, type Queue, type Stage, startStage } from './stage.ts';

interface Notice {
  readonly order: number;
  readonly text?: unknown;
}
const order = { order: 7 };
const HOUR_MS = 60 * 60 * 1000;

onBothVersions((bullmq) => {
  function open(options: Partial<DelayedEmailsOptions<Notice>> = {}) {
    const stage = startStage(bullmq);
    const queue = stage.queue() as Queue & { add: Queue['add'] };
    const { ledger } = stage;
    const emails: DelayedEmails<Notice> = delayedEmails<Notice>(queue, {
      ledger,
      key: (data) => ['notice', data.order],
      ...options,
    });
    return { stage, queue, ledger, emails };
  }

  test('the journal gets what was scheduled, moved and cancelled, and no call without effect', async () => {
    const entries: JournalEntry[] = [];
    const journal = { ...silentJournal, write: (entry: JournalEntry) => void entries.push(entry) };
    const { emails, stage } = open({ journal, label: ({ order }) => `order ${order}` });
    const at = new Date(Date.now() + HOUR_MS);
    const later = new Date(Date.now() + 2 * HOUR_MS);
    const [first] = await emails.scheduleBulk([
      { data: order, at },
      { data: order, at: later },
    ]);
    await emails.schedule(order, { at: later });
    await emails.reschedule(order, { at: later });
    await emails.cancel(order, { by: 'ada' });
    await emails.schedule(order, { at });
    await emails.reschedule({ order: 8 }, { at });

    const { key } = first!;
    const job = { queue: 'q', id: `email-${key}` };
    expect(entries).toMatchObject([
      { key, type: 'scheduled', job, dueMs: at.getTime(), label: 'order 7' },
      { key, type: 'rescheduled', job, dueMs: later.getTime() },
      { key, type: 'cancelled', by: 'ada' },
    ]);
    // What people call it decides over no email.
    const nameless = delayedEmails<Notice>(stage.queue(), {
      ledger: stage.ledger,
      journal,
      key: (data) => ['notice', data.order],
      label: () => {
        throw new Error('no name');
      },
    });
    expect((await nameless.schedule({ order: 9 }, { at })).state).toBe('scheduled');
    expect(entries.at(-1)).toMatchObject({ type: 'scheduled', label: undefined });
    expect(() => open({ journal: {} as never })).toThrow(/"journal"/);
    expect(() => open({ label: 'order' as never })).toThrow(/"label"/);
  });

  test('a journal that throws decides nothing: schedule, reschedule and cancel answer as they did', async () => {
    const journal: Journal = {
      ...silentJournal,
      write: () => {
        throw new Error('the journal is broken');
      },
    };
    const { emails, ledger } = open({ journal });
    const at = new Date(Date.now() + HOUR_MS);
    const later = new Date(Date.now() + 2 * HOUR_MS);
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    expect((await emails.schedule(order, { at })).state).toBe('scheduled');
    expect((await emails.reschedule(order, { at: later })).state).toBe('rescheduled');
    expect((await emails.cancel(order)).state).toBe('cancelled');
    expect((await ledger.read(emails.keyOf(order)))?.state).toBe('cancelled');
    expect(JSON.stringify(warned.mock.calls)).toContain('the journal is broken');
  });

  /** A worker that notes what it sends; `fail` throws instead, before anything was sent. */
  function work(stage: Stage, options: Partial<OnceOptions<Job>> & { fail?: () => boolean } = {}) {
    const { fail, ...rest } = options;
    const sent: { id: string; atMs: number; text: unknown }[] = [];
    const processor = once(
      async (job: Job) => {
        if (fail?.()) throw new Error('connection refused');
        sent.push({ id: job.id ?? '', atMs: Date.now(), text: job.data.text });
      },
      {
        ledger: stage.ledger,
        key: (job) => ['notice', job.data.order],
        classify: () => 'not-sent',
        ...rest,
      },
    );
    const worker = stage.worker(processor, { concurrency: 8 });
    return { sent, worker, counters: processor.counters };
  }

  const quiet = (queue: Queue) =>
    eventually(
      async () => {
        const counts = await queue.getJobCounts('wait', 'active', 'delayed', 'waiting-children');
        expect(Object.values(counts)).toEqual([0, 0, 0, 0]);
      },
      { timeoutMs: 10_000, everyMs: 10 },
    );

  const scoreMs = async (stage: Stage, jobId: string) =>
    Math.floor(Number(await stage.redis.zscore(`${stage.prefix}:q:delayed`, jobId)) / 0x1000);

  const jobIdOf = (answer: object) => (answer as { jobId: string }).jobId;

  test('an occurrence makes another email of a cancelled one, whose record stays', async () => {
    const { stage, queue, emails } = open();
    await emails.schedule(order, { delay: 20 });
    expect(await emails.cancel(order, { by: 'support' })).toMatchObject({ state: 'cancelled' });
    expect(await emails.schedule(order, { delay: 0 })).toMatchObject({
      state: 'cancelled',
      by: 'support',
    });
    const again = await emails.schedule(order, { delay: 0, occurrence: 2 });
    expect(again.state).toBe('scheduled');
    expect(again.key).toBe(emails.keyOf(order, { occurrence: 2 }));
    expect(again.key).not.toBe(emails.keyOf(order));
    const { sent } = work(stage);
    await quiet(queue);
    expect(sent).toHaveLength(1);
    expect(await emails.status(order)).toMatchObject({ state: 'cancelled', by: 'support' });
    expect(await emails.status(order, { occurrence: 2 })).toMatchObject({ state: 'sent' });
    // By its key as well, which has the occurrence in it.
    expect(await emails.status(again.key)).toMatchObject({ state: 'sent' });
  });

  test.each([-HOUR_MS, HOUR_MS])(
    'a producer whose clock is %i ms off schedules and moves to the moment that it names',
    async (offMs) => {
      const { stage, emails } = open({ pastToleranceMs: 2 * HOUR_MS });
      const at = new Date(Date.now() + 2 * HOUR_MS);
      const later = new Date(at.getTime() + HOUR_MS);
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + offMs });
      onTestFinished(() => void vi.useRealTimers());
      const scheduled = await emails.schedule(order, { at });
      expect(scheduled).toMatchObject({ state: 'scheduled', at });
      expect(await scoreMs(stage, jobIdOf(scheduled))).toBe(at.getTime());
      expect(await emails.reschedule(order, { at: later })).toMatchObject({ at: later });
      vi.useRealTimers();
      expect(await scoreMs(stage, jobIdOf(scheduled))).toBe(later.getTime());
      // Another machine, with the right clock, reads the same.
      expect(await emails.status(order)).toMatchObject({ state: 'scheduled', at: later });
    },
  );

  test('an email that is moved later, earlier, and to now is sent once, at the last time given', async () => {
    const { stage, queue, emails } = open();
    const { sent } = work(stage);
    await emails.schedule(order, { delay: 600 });
    const at = new Date(Date.now() + 1_200);
    expect(await emails.reschedule(order, { at })).toMatchObject({ state: 'rescheduled', at });
    const again = await emails.schedule(order, { delay: 0 });
    expect(again.state).toBe('already-scheduled');
    // The queue counts from when it takes the move.
    expect(millisecondsBetween(again, { at })).toBeLessThan(100);
    await quiet(queue);
    expect(sent).toHaveLength(1);
    expect(sent[0]!.atMs).toBeGreaterThanOrEqual(at.getTime());

    const next = { order: 8 };
    await emails.schedule(next, { at: new Date(Date.now() + HOUR_MS) });
    await emails.reschedule(next, { delay: 0 });
    await quiet(queue);
    expect(sent).toHaveLength(2);
  });

  test('an email that is moved to now and waits for a worker is due', async () => {
    const { queue, emails } = open();
    await emails.schedule(order, { delay: 72 * HOUR_MS });
    await emails.reschedule(order, { delay: 0 });
    const scheduled = await queue.getDelayed();
    // What a worker does that has no free place.
    await scheduled[0]?.promote();
    expect(await emails.status(order)).toMatchObject({ state: 'due' });
  });

  test('an email that is moved by the delay it was scheduled with is due at the new time', async () => {
    const { emails } = open();
    await emails.schedule(order, { delay: HOUR_MS });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const moved = await emails.reschedule(order, { delay: HOUR_MS });
    const status = await emails.status(order);
    expect(millisecondsBetween(status, moved)).toBeLessThan(40);
  });

  test('a job that was moved by changeDelay() of BullMQ is due at the new time', async () => {
    const { queue, emails } = open();
    await emails.schedule(order, { delay: HOUR_MS });
    await emails.reschedule(order, { delay: 2 * HOUR_MS });
    const [job] = await queue.getDelayed();
    await job!.clearLogs();
    expect(Math.abs(dueInMs(await emails.status(order)) - 2 * HOUR_MS)).toBeLessThan(5_000);
    await job!.changeDelay(3 * HOUR_MS);
    expect(Math.abs(dueInMs(await emails.status(order)) - 3 * HOUR_MS)).toBeLessThan(5_000);
  });

  test('the email of a job that was moved by days carries the date of its sending', async () => {
    const { stage, queue, emails } = open();
    const dates: (number | undefined)[] = [];
    const { currentClaim } = await import('@sendonce/core');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 72 * HOUR_MS });
    onTestFinished(() => void vi.useRealTimers());
    await emails.schedule(order, { delay: 24 * HOUR_MS });
    await emails.reschedule(order, { delay: 72 * HOUR_MS });
    vi.useRealTimers();
    stage.worker(
      once(async () => void dates.push(currentClaim()?.emailDateMs), {
        ledger: stage.ledger,
        key: (job: Job) => ['notice', job.data.order],
      }),
    );
    await quiet(queue);
    // Of its hour, so that attempts one after the other carry the same.
    expect(dates[0]! % HOUR_MS).toBe(0);
    expect(Date.now() - dates[0]!).toBeLessThanOrEqual(HOUR_MS + 5000);
  });

  test('a retry that backs off is scheduled, and can be moved and cancelled', async () => {
    const { stage, queue, emails } = open({
      job: { attempts: 5, backoff: { type: 'fixed', delay: HOUR_MS } },
    });
    let failing = true;
    const { sent } = work(stage, { fail: () => failing });
    await emails.schedule(order, { delay: 0 });
    const status = await eventually(async () => {
      const found = await emails.status(order);
      expect(found.state).toBe('scheduled');
      return found as { at: Date };
    });
    expect(Math.abs(status.at.getTime() - Date.now() - HOUR_MS)).toBeLessThan(5000);
    failing = false;
    expect(await emails.reschedule(order, { delay: 50 })).toMatchObject({ state: 'rescheduled' });
    await quiet(queue);
    expect(sent).toHaveLength(1);
  });

  test('if a failed job was kept, 32 schedule the email again at once: one call answers "scheduled", one email', async () => {
    const { stage, queue, emails } = open();
    let failing = true;
    const { sent } = work(stage, { fail: () => failing });
    await emails.schedule(order, { delay: 0 });
    await eventually(async () => expect((await emails.status(order)).state).toBe('failed'));
    failing = false;
    const answers = await Promise.all(
      Array.from({ length: 32 }, () => emails.schedule(order, { delay: 1500 })),
    );
    expect(answers.map(({ state }) => state).toSorted()).toEqual([
      ...Array(31).fill('already-scheduled'),
      'scheduled',
    ]);
    await quiet(queue);
    expect(sent).toHaveLength(1);
    // The failed job stays for people to look at.
    expect(await queue.getFailedCount()).toBe(1);
  });

  test('schedule() refuses an email after four failed jobs, and says what to do', async () => {
    const { stage, queue, emails } = open();
    const { sent } = work(stage, { fail: () => true });
    const answers: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      answers.push((await emails.schedule(order, { delay: 0 })).state);
      await quiet(queue);
    }
    expect(answers).toEqual(Array(4).fill('scheduled'));
    const refused = emails.schedule(order, { delay: 0 });
    await expect(refused).rejects.toMatchObject({
      code: 'SENDONCE_SCHEDULE',
      mayHaveLeft: 'no',
      message: expect.stringMatching(
        /4 jobs that ended without sending it and were kept.*remove them.*schedule it again/s,
      ),
    });
    await (await queue.getFailed())[0]?.remove();
    expect((await emails.schedule(order, { delay: HOUR_MS })).state).toBe('scheduled');
    expect(sent).toEqual([]);
  });

  test('the key of the processor is another one: the job fails and names the part, nothing leaves', async () => {
    const { stage, queue, emails } = open();
    await emails.schedule(order, { delay: 0 });
    const { sent } = work(stage, { key: (job) => ['notice', `${job.data.order}`] });
    await quiet(queue);
    const [failed] = await queue.getFailed();
    expect(failed?.failedReason).toMatch(/differing parts: 1\. This attempt sent nothing/);
    expect(sent).toEqual([]);
    expect(await emails.status(order)).toMatchObject({ state: 'failed' });
    expect(await stage.ledgerKeys()).toEqual([]);
  });

  test('data that was updated in between: the changed part of the key is named', async () => {
    const { stage, queue, emails } = open({
      key: (data) => ({ kind: 'notice', text: data.text as string, order: data.order }),
    });
    const scheduled = await emails.schedule({ order: 7, text: 'a secret' }, { delay: 50 });
    await (await queue.getJob(jobIdOf(scheduled)))?.updateData({ order: 7, text: 'another' });
    work(stage, { key: ({ data }) => ({ kind: 'notice', text: data.text, order: data.order }) });
    await quiet(queue);
    const [failed] = await queue.getFailed();
    expect(failed?.failedReason).toMatch(/differing parts: text\./);
    expect(failed?.failedReason).not.toContain('secret');
  });

  test('a Date in the data has the same key when the worker reads it as text', async () => {
    const { stage, queue, emails } = open({ key: (data) => [data.order, data.text as string] });
    const text = new Date('2027-01-01T09:00:00Z');
    await emails.schedule({ order: 7, text }, { delay: 0 });
    const { sent } = work(stage, { key: (job) => [job.data.order, job.data.text] });
    await quiet(queue);
    expect(sent).toMatchObject([{ text: '2027-01-01T09:00:00.000Z' }]);
    expect(await emails.status({ order: 7, text })).toMatchObject({ state: 'sent' });
  });

  test('another payload under the same key is a conflict that names the field', async () => {
    const { stage, queue, emails } = open({
      fingerprint: (data) => ({ text: data.text as string }),
    });
    await emails.schedule({ order: 7, text: 'one' }, { delay: 30 });
    const other = { order: 7, text: 'two' };
    expect(await emails.schedule(other, { delay: 0 })).toMatchObject({
      state: 'conflict',
      fields: ['text'],
    });
    work(stage, { fingerprint: (job) => ({ text: job.data.text }) });
    await quiet(queue);
    expect(await emails.schedule(other, { delay: 0 })).toMatchObject({
      state: 'conflict',
      fields: ['text'],
    });
    expect((await emails.schedule({ order: 7, text: 'one' }, { delay: 0 })).state).toBe(
      'already-sent',
    );
  });

  test('a cancellation outlives the time at which the email was due', async () => {
    const { stage, emails } = open({ retentionMs: 60_000 });
    const scheduled = await emails.schedule(order, { delay: 24 * HOUR_MS });
    await emails.cancel(scheduled.key);
    const [record] = (await stage.ledgerKeys()).filter((key) =>
      key.endsWith(`}${scheduled.key.slice(1)}`),
    );
    expect(await stage.redis.pttl(record!)).toBeGreaterThan(24 * HOUR_MS);
    expect(await stage.queue().getDelayedCount()).toBe(0);
  });

  /** The queue, with something that happens just before one of its methods. */
  function interrupted(queue: Queue, method: 'add' | 'getJob', before: () => Promise<unknown>) {
    const own = {
      [method]: async (...args: unknown[]) => {
        await before();
        return (queue[method] as (...args: unknown[]) => Promise<unknown>)(...args);
      },
    };
    return new Proxy(queue, {
      get(target, name) {
        const value = (name === method ? own : target)[name as 'add'] as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  test('if cancel() runs between the load and the add of schedule(), schedule() answers cancelled and no job stays', async () => {
    const { queue, ledger, emails } = open();
    const late = delayedEmails<Notice>(
      interrupted(queue, 'add', () => emails.cancel(order)),
      { ledger, key: (data) => ['notice', data.order] },
    );
    expect(await late.schedule(order, { delay: HOUR_MS })).toMatchObject({ state: 'cancelled' });
    expect(await queue.getDelayedCount()).toBe(0);
  });

  test.each([
    ['sent', 'completed', async () => 'a result'],
    ['in-doubt', 'failed', () => Promise.reject(new Error('it broke after the dot'))],
  ])(
    'its own job has ended as %s before schedule() looks again: scheduled, and the %s job stays',
    async (outcome, state, processor) => {
      const { stage, queue, ledger, emails } = open();
      stage.worker(once(processor, { ledger, key: (job: Job) => ['notice', job.data.order] }));
      const add = queue.add.bind(queue);
      queue.add = async (...args: Parameters<Queue['add']>) => {
        const job = await add(...args);
        await stage.ended(job);
        return job;
      };
      const scheduled = await emails.schedule(order, { delay: 0 });
      expect(scheduled).toMatchObject({ state: 'scheduled' });
      const { key, jobId } = scheduled as { key: string; jobId: string };
      expect(await ledger.read(key)).toMatchObject({
        state: outcome,
        job: { queue: 'q', id: jobId },
      });
      expect(await queue.getJobState(jobId)).toBe(state);
    },
  );

  test('an email that is sent during status() is seen as sent, and never as unknown', async () => {
    const { stage, queue, ledger, emails } = open();
    await emails.schedule(order, { delay: 0 });
    const sendNow = async () => {
      if ((await ledger.read(emails.keyOf(order))) !== undefined) return;
      work(stage);
      await quiet(queue);
    };
    const late = delayedEmails<Notice>(interrupted(queue, 'getJob', sendNow), {
      ledger,
      key: (data) => ['notice', data.order],
    });
    expect(await late.status(order)).toMatchObject({ state: 'sent' });
  });

  test('a queue that takes its time to add: due at the moment named all the same', async () => {
    const { stage, queue, ledger } = open();
    const slow = () => new Promise((resolve) => setTimeout(resolve, 60));
    const emails = delayedEmails<Notice>(interrupted(queue, 'add', slow), {
      ledger,
      key: (data) => ['notice', data.order],
    });
    const at = new Date(Date.now() + HOUR_MS);
    const scheduled = await emails.schedule(order, { at });
    expect(await scoreMs(stage, jobIdOf(scheduled))).toBe(at.getTime());
    expect(await emails.status(order)).toMatchObject({ at });
  });

  test('schedule() races cancel(): a cancelled email is never sent and has no job', async () => {
    const { stage, queue, emails } = open();
    const numbers = Array.from({ length: 150 }, (_, number) => number);
    const answers = await Promise.all(
      numbers.flatMap((number) => [
        emails.schedule({ order: number }, { delay: 200 }),
        emails.schedule({ order: number }, { delay: 200 }),
        emails.cancel({ order: number }),
      ]),
    );
    expect(answers.filter(({ state }) => state === 'cancelled').length).toBeGreaterThanOrEqual(150);
    expect(await queue.getDelayedCount()).toBe(0);
    const { sent } = work(stage);
    await quiet(queue);
    expect(sent).toEqual([]);
  });

  test('producers, movers and cancellers at random: at most one email each, and none lost', async () => {
    const { stage, queue, emails } = open();
    const { sent } = work(stage, { fail: () => Math.random() < 0.2 });
    const numbers = Array.from({ length: 100 }, (_, number) => number);
    const cancelled = new Set<number>();
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.random() * ms));
    const delay = () => ({ delay: Math.floor(Math.random() * 60) });
    const act = async (number: number) => {
      await pause(100);
      const dice = Math.random();
      if (dice < 0.5) await emails.schedule({ order: number }, delay());
      else if (dice < 0.9) await emails.reschedule({ order: number }, delay());
      else if ((await emails.cancel({ order: number })).state === 'cancelled')
        cancelled.add(number);
    };
    await Promise.all(
      numbers.map(async (number) => {
        await emails.schedule({ order: number }, delay());
        await Promise.all(Array.from({ length: 6 }, () => act(number)));
      }),
    );
    await quiet(queue);
    const found = await emails.statusBulk(numbers.map((number) => ({ order: number })));
    // In the end each one was sent, cancelled, or has failed and its error is shown.
    const left = found.filter(({ state }) => state === 'sent');
    expect(sent).toHaveLength(left.length);
    expect(found.filter(({ state }) => state === 'cancelled')).toHaveLength(cancelled.size);
    for (const { state } of found) expect(['sent', 'cancelled', 'failed']).toContain(state);
    expect(left.length).toBeGreaterThan(20);
    expect(cancelled.size).toBeGreaterThan(5);
  });

  test('if the reply to the add is lost, the client adds again, and the email is scheduled once', async () => {
    const { stage, ledger } = open();
    const proxy = await startTcpProxy({ url: redisUrl() });
    stage.onEnd(proxy.close);
    const connection = stage.client(proxy.url, {
      maxRetriesPerRequest: null,
      retryStrategy: () => 5,
    });
    const queue = stage.adopt(new bullmq.Queue<Notice>('q', { connection, prefix: stage.prefix }));
    await queue.waitUntilReady();
    const emails = delayedEmails(queue, { ledger, key: (data: Notice) => ['notice', data.order] });
    await emails.schedule({ order: 8 }, { delay: HOUR_MS });
    // The mark is a part of the options that are added.
    const cut = proxy.cutAfterRequest('parts');
    expect(await emails.schedule(order, { delay: HOUR_MS })).toMatchObject({ state: 'scheduled' });
    await cut.struck;
    expect(await queue.getDelayedCount()).toBe(2);
  });

  test('if the queue does not answer, the error of schedule() says that the result is unknown, and to call again', async () => {
    const { stage, ledger } = open();
    const proxy = await startTcpProxy({ url: redisUrl() });
    stage.onEnd(proxy.close);
    const options = {
      maxRetriesPerRequest: 0,
      retryStrategy: () => 1000,
      enableOfflineQueue: false,
    };
    const connection = stage.client(proxy.url, options);
    const queue = stage.adopt(new bullmq.Queue<Notice>('q', { connection, prefix: stage.prefix }));
    await queue.waitUntilReady();
    const emails = delayedEmails(queue, { ledger, key: (data: Notice) => ['notice', data.order] });
    const cut = proxy.cutAfterRequest('parts');
    await expect(emails.schedule(order, { delay: HOUR_MS })).rejects.toMatchObject({
      code: 'SENDONCE_SCHEDULE',
      mayHaveLeft: 'maybe',
      message: expect.stringMatching(/unknown whether.*Schedule it again/s),
    });
    await cut.struck;
    await proxy.close();
  });

  test('a page of a bulk method costs as many round trips as one email', async () => {
    const { stage, ledger } = open();
    const latencyMs = 80;
    const url = await slowRelay(redisUrl(), latencyMs);
    const connection = stage.client(url, { maxRetriesPerRequest: null });
    const queue = stage.adopt(new bullmq.Queue<Notice>('q', { connection, prefix: stage.prefix }));
    await queue.waitUntilReady();
    const emails = delayedEmails(queue, {
      ledger: stage.ledgerOn(connection),
      key: (data: Notice) => ['notice', data.order],
    });
    const numbers = Array.from({ length: 250 }, (_, number) => ({ order: number }));
    const roundTrips = async (run: () => Promise<{ state: string }[]>, state: string) => {
      const begin = performance.now();
      const answers = await run();
      const trips = (performance.now() - begin) / latencyMs;
      expect(answers.map((answer) => answer.state)).toEqual(numbers.map(() => state));
      return trips;
    };
    const bulk = numbers.map((data) => ({ data, delay: HOUR_MS }));
    const moved = numbers.map((email) => ({ email, delay: 2 * HOUR_MS }));
    // One by one each of them would take 250 times as many.
    expect(await roundTrips(() => emails.scheduleBulk(bulk), 'scheduled')).toBeLessThan(60);
    expect(await roundTrips(() => emails.statusBulk(numbers), 'scheduled')).toBeLessThan(60);
    expect(await roundTrips(() => emails.rescheduleBulk(moved), 'rescheduled')).toBeLessThan(60);
    expect(await roundTrips(() => emails.cancelBulk(numbers), 'cancelled')).toBeLessThan(60);
    expect(await ledger.read(emails.keyOf(order))).toMatchObject({ state: 'cancelled' });
    expect(await queue.getDelayedCount()).toBe(0);
  });

  const wrong: [string, string, unknown, object][] = [
    ['no time', 'at', order, {}],
    ['no options', 'at', order, undefined as never],
    ['at and delay', 'delay', order, { at: new Date(), delay: 5 }],
    ['a moment that passed', 'at', order, { at: new Date(Date.now() - HOUR_MS) }],
    ['a moment in 8000 years', 'at', order, { at: new Date('9999-01-01') }],
    ['an invalid date', 'at', order, { at: new Date('tomorrow') }],
    ['a date as text', 'at', order, { at: '2027-01-01' }],
    ['a negative delay', 'delay', order, { delay: -1 }],
    ['a delay that is no number', 'delay', order, { delay: Number.NaN }],
    ['a delay as text', 'delay', order, { delay: '5s' }],
    ['an empty occurrence', 'occurrence', order, { delay: 0, occurrence: '' }],
    ['a job id', 'job.jobId', order, { delay: 0, job: { jobId: 'mine' } }],
    ['a repetition', 'job.repeat', order, { delay: 0, job: { repeat: { every: 5 } } }],
    ['a BigInt', 'data', { order: 7, text: 5n }, { delay: 0 }],
    ['a Map', 'data', { order: 7, text: new Map([['secret', 1]]) }, { delay: 0 }],
    ['a function', 'data', { order: 7, text: () => 'secret' }, { delay: 0 }],
    ['NaN', 'data', { order: 7, text: Number.NaN }, { delay: 0 }],
    ['no data', 'data', undefined, { delay: 0 }],
  ];
  test.each(wrong)('%s is refused and nothing is scheduled', async (_, option, data, options) => {
    const { stage, emails } = open();
    const refused = await emails.schedule(data as Notice, options as never).catch((error) => error);
    expect(refused).toMatchObject({ code: 'SENDONCE_OPTION', option, mayHaveLeft: 'no' });
    expect(refused.message).not.toContain('secret');
    if (option !== 'occurrence') expect(refused.message).toContain('Nothing was scheduled');
    expect(await stage.redis.keys(`${stage.prefix}*:email-*`)).toEqual([]);
    expect(await stage.ledgerKeys()).toEqual([]);
  });

  test('a cycle, a missing part of the key, and a key of now are refused', async () => {
    const { emails } = open();
    const cycle: { order: number; text?: unknown } = { order: 7 };
    cycle.text = cycle;
    await expect(emails.schedule(cycle, { delay: 0 })).rejects.toMatchObject({ option: 'data' });
    await expect(emails.schedule({} as Notice, { delay: 0 })).rejects.toMatchObject({
      code: 'SENDONCE_KEY',
      message: expect.stringContaining('"key[1]" is undefined'),
    });
    let now = 0;
    const unsteady = open({ key: (data) => [data.order, (now += 1)] }).emails;
    await expect(unsteady.schedule(order, { delay: 0 })).rejects.toMatchObject({ option: 'key' });
  });

  test('what "check" throws refuses the email, in a bulk all of them', async () => {
    const failure = new Error('the template has no such field');
    const { queue, emails } = open({
      check(data) {
        if (data.text === undefined) throw failure;
      },
    });
    await expect(emails.schedule(order, { delay: 0 })).rejects.toBe(failure);
    const bulk = [
      { data: { order: 1, text: 'x' }, delay: 0 },
      { data: order, delay: 0 },
    ];
    await expect(emails.scheduleBulk(bulk)).rejects.toBe(failure);
    expect(Object.values(await queue.getJobCounts())).toEqual(
      Object.values(await queue.getJobCounts()).map(() => 0),
    );
  });

  test('wrong options of delayedEmails are refused where they are given', () => {
    const { queue, ledger } = open();
    const key = (data: Notice) => data.order;
    const refusedFor = (run: () => unknown) => {
      try {
        run();
      } catch (error) {
        return isSendonceError(error, 'SENDONCE_OPTION') && (error as { option?: string }).option;
      }
      return 'nothing';
    };
    const make = (more: object) => () => delayedEmails(queue, { ledger, key, ...more } as never);
    expect(refusedFor(() => delayedEmails({} as never, { ledger, key }))).toBe('queue');
    expect(refusedFor(() => delayedEmails(queue, undefined as never))).toBe('options');
    expect(refusedFor(make({ ledger: {} }))).toBe('ledger');
    expect(refusedFor(make({ key: ['order'] }))).toBe('key');
    expect(refusedFor(make({ name: '' }))).toBe('name');
    expect(refusedFor(make({ retentionMs: 0 }))).toBe('retentionMs');
    expect(refusedFor(make({ pastToleranceMs: -1 }))).toBe('pastToleranceMs');
    expect(refusedFor(make({ job: { delay: 5 } }))).toBe('job.delay');
    expect(refusedFor(make({ check: 'yes' }))).toBe('check');
  });
});

/** A network on which every answer takes its time. */
async function slowRelay(url: string, latencyMs: number): Promise<string> {
  const { hostname, port } = new URL(url);
  const server = createServer((client) => {
    const upstream = connect(Number(port || 6379), hostname);
    client.pipe(upstream);
    upstream.on('data', (chunk) => setTimeout(() => client.write(chunk), latencyMs));
    const end = () => (client.destroy(), upstream.destroy());
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `redis://127.0.0.1:${(server.address() as { port: number }).port}`;
}

function dueInMs(status: object): number {
  return (status as { at: Date }).at.getTime() - Date.now();
}

function millisecondsBetween(one: object, other: object): number {
  return Math.abs(dueInMs(one) - dueInMs(other));
}
