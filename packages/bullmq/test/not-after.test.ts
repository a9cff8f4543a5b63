import { setTimeout as sleep } from 'node:timers/promises';
import {
  currentClaim,
  type Ledger,
  LedgerUnavailableError,
  memoryLedger,
  NotSentError,
} from '@sendonce/core';
import { eventually } from '@sendonce/testkit';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { once, type OnceOptions } from '../src/index.ts';
import { another, key, notice, putInDoubt, select } from './mailer.ts';
import { type Job, onBothVersions, type Stage, startStage } from './stage.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const past = () => Date.now() - 1;

/** Sets the clock of this process: that of its workers, not that of Redis. */
function setClockAhead(byMs: number): void {
  const now = Date.now.bind(Date);
  const spy = vi.spyOn(Date, 'now').mockImplementation(() => now() + byMs);
  onTestFinished(() => spy.mockRestore());
}

/** A worker that dispatches and sends each email that its queue brings. */
function sender(
  stage: Stage,
  options: Partial<OnceOptions<Job>>,
  before?: (job: Job) => Promise<void>,
) {
  const sent: unknown[] = [];
  const processor = once(
    async (job: Job) => {
      await before?.(job);
      if (options.dispatch === 'at-send') await currentClaim()!.dispatch();
      sent.push(job.data.order);
    },
    { ledger: stage.ledger, key: select, ...options },
  );
  stage.worker(processor);
  return { sent, counters: processor.counters };
}

const skipped = {
  state: 'completed',
  returnvalue: null,
  logs: ['sendonce: skipped (not-after): not sent'],
};

onBothVersions((bullmq) => {
  test.each(['before-processor', 'at-send'] as const)(
    '%s: 32 workers, 32 copies of an email whose time is over, no email',
    async (dispatch) => {
      const stage = startStage(bullmq);
      const jobs = await Promise.all(
        Array.from({ length: 32 }, () => stage.queue().add('notice', { order: 7 })),
      );
      const workers = Array.from({ length: 32 }, () => sender(stage, { dispatch, notAfter: past }));
      for (const job of jobs) {
        expect(await stage.ended(job)).toMatchObject({ state: 'completed', returnvalue: null });
      }
      expect(workers.flatMap(({ sent }) => sent)).toEqual([]);
      expect(await stage.ledger.read(key)).toMatchObject({ state: 'skipped', note: 'not-after' });
    },
    60_000,
  );

  test('an email whose time is over is skipped, its log says so, and its job has no result', async () => {
    const stage = startStage(bullmq);
    const { sent, counters } = sender(stage, { notAfter: () => new Date(past()) });
    expect(await stage.ended(await notice(stage))).toMatchObject({ ...skipped, attemptsMade: 1 });
    expect(sent).toEqual([]);
    expect(counters).toMatchObject({ skipped: 1, sent: 0, released: 0 });
  });

  test('an email whose time is not over is sent', async () => {
    const stage = startStage(bullmq);
    const limits = [() => Date.now() + HOUR_MS, () => undefined];
    for (const [order, notAfter] of limits.entries()) {
      const queue = `q${order}`;
      const processor = once(async () => 'sent', { ledger: stage.ledger, key: select, notAfter });
      stage.worker(processor, { queue });
      const job = await stage.queue(queue).add('notice', { order });
      expect(await stage.ended(job, { queue })).toMatchObject({ returnvalue: 'sent' });
    }
  });

  test('a worker that is paused between its start and its dispatch lets no email leave late', async () => {
    const stage = startStage(bullmq);
    const limit = Date.now() + 400;
    const { sent } = sender(stage, { dispatch: 'at-send', notAfter: () => limit }, () =>
      sleep(600),
    );
    expect(await stage.ended(await notice(stage))).toMatchObject({ ...skipped, attemptsMade: 1 });
    expect(sent).toEqual([]);
  });

  test('the clock of Redis decides, not that of the worker', async () => {
    for (const [aheadMs, limitMs, emails] of [
      [2 * DAY_MS, HOUR_MS, 1],
      [-2 * DAY_MS, -HOUR_MS, 0],
    ] as const) {
      const stage = startStage(bullmq);
      const limit = Date.now() + limitMs;
      setClockAhead(aheadMs);
      const { sent } = sender(stage, { dispatch: 'at-send', notAfter: () => limit });
      await stage.ended(await notice(stage));
      vi.restoreAllMocks();
      expect(sent, `${aheadMs} ms ahead`).toHaveLength(emails);
    }
  });

  test('without a worker, as in a unit test, the clock of the machine decides', async () => {
    const stage = startStage(bullmq);
    const limit = Date.now() + HOUR_MS;
    const send = vi.fn();
    const options = { ledger: stage.ledger, key: select, notAfter: () => limit };
    setClockAhead(DAY_MS);
    const job = { data: { order: 7 } } as Job;
    expect(await once(async () => send(), options)(job)).toBeUndefined();
    expect(send).not.toHaveBeenCalled();
  });

  describe('its time ends while', () => {
    test('the queue is paused', async () => {
      const stage = startStage(bullmq);
      const limit = Date.now() + 300;
      await stage.queue().pause();
      const job = await notice(stage);
      const { sent } = sender(stage, { notAfter: () => limit });
      await sleep(400);
      await stage.queue().resume();
      expect(await stage.ended(job)).toMatchObject(skipped);
      expect(sent).toEqual([]);
    });

    test('the ledger does not answer', async () => {
      const stage = startStage(bullmq);
      const limit = Date.now() + 800;
      const down: Ledger = {
        ...stage.ledger,
        async claim(request) {
          if (Date.now() < limit + 200) throw new LedgerUnavailableError('Redis is down.');
          return stage.ledger.claim(request);
        },
      };
      const { sent, counters } = sender(stage, { ledger: down, notAfter: () => limit });
      const ended = await stage.ended(await notice(stage));
      expect(ended).toMatchObject({ state: 'completed', returnvalue: null, attemptsMade: 1 });
      expect(ended.logs.at(-1)).toBe('sendonce: skipped (not-after): not sent');
      expect(counters.unavailable).toBeGreaterThan(0);
      expect(sent).toEqual([]);
    });

    test('it waits for its next attempt', async () => {
      const stage = startStage(bullmq);
      const limit = Date.now() + 500;
      let tries = 0;
      const { sent } = sender(stage, { notAfter: () => limit }, async () => {
        tries += 1;
        throw new NotSentError('The order is locked.');
      });
      const job = await stage
        .queue()
        .add('notice', { order: 7 }, { attempts: 20, backoff: { type: 'fixed', delay: 200 } });
      const ended = await stage.ended(job);
      expect(ended).toMatchObject(skipped);
      expect(ended.attemptsMade).toBe(tries + 1);
      expect(tries).toBeGreaterThan(1);
      expect(sent).toEqual([]);
    });

    test('a copy is busy, and is delayed', async () => {
      const stage = startStage(bullmq);
      const limit = Date.now() + 1_000;
      const other = another();
      await stage.ledger.claim({ ...other, dispatched: true });
      const { sent, counters } = sender(stage, { notAfter: () => limit });
      const job = await notice(stage);
      await eventually(() => expect(counters.busy).toBeGreaterThan(0));
      await sleep(1_000);
      await stage.ledger.release(other);
      expect(await stage.ended(job)).toMatchObject({ state: 'completed', returnvalue: null });
      expect(await stage.ledger.read(key)).toMatchObject({ state: 'skipped', note: 'not-after' });
      expect(sent).toEqual([]);
    });
  });

  test('an email in doubt stays in doubt, and its job fails at once, also within "replayWithinMs"', async () => {
    for (const replayWithinMs of [undefined, HOUR_MS]) {
      const stage = startStage(bullmq);
      await putInDoubt(stage.ledger);
      const { sent } = sender(stage, { notAfter: past, ...(replayWithinMs && { replayWithinMs }) });
      const ended = await stage.ended(await notice(stage));
      expect(ended).toMatchObject({ state: 'failed', attemptsMade: 1, attemptsStarted: 1 });
      expect(ended.logs.join()).toContain('in doubt');
      expect(await stage.ledger.read(key)).toMatchObject({ state: 'in-doubt' });
      expect(sent).toEqual([]);
    }
  });

  test('a skip blocks nothing: the same email with a later limit is sent', async () => {
    const stage = startStage(bullmq);
    let limit = past();
    const { sent } = sender(stage, { notAfter: () => limit });
    await stage.ended(await notice(stage));
    limit = Date.now() + HOUR_MS;
    await stage.ended(await notice(stage));
    expect(sent).toEqual([7]);
  });

  test.each([
    ['a text, as JSON makes of a Date', '2099-12-24T00:00:00.000Z', 'pass new Date'],
    ['an invalid date', new Date('no date'), 'Date'],
    ['a duration', 60_000, '60000'],
    ['seconds', Math.floor(Date.now() / 1000), 'milliseconds since 1970'],
    ['NaN', Number.NaN, 'NaN'],
    ['null', null, 'null'],
    ['a promise', Promise.resolve(new Date()), 'Date'],
    ['a time in 200 years', Date.now() + 200 * 365 * DAY_MS, '100 years'],
  ])('%s is no time: the job fails once, and nothing is sent', async (_name, wrong, shown) => {
    const stage = startStage(bullmq);
    const { sent } = sender(stage, { notAfter: () => wrong as Date });
    const ended = await stage.ended(await notice(stage));
    expect(ended).toMatchObject({ state: 'failed', attemptsMade: 1 });
    expect(ended.failedReason).toContain('Expected "notAfter" to be a Date or milliseconds');
    expect(ended.failedReason).toContain('Nothing was sent.');
    expect(ended.failedReason).toContain(shown);
    expect(sent).toEqual([]);
    expect(await stage.ledger.read(key)).toBeUndefined();
  });
});

test('"notAfter" that is no function is an OptionError of once()', () => {
  const options = { ledger: memoryLedger(), key: select, notAfter: new Date() as never };
  expect(() => once(async () => {}, options)).toThrow('Expected "notAfter" to be a function');
});
