import { setTimeout } from 'node:timers/promises';
import {
  confirmSent,
  deriveKey,
  type Ledger,
  memoryLedger,
  perform,
  resolveEmail,
} from '@sendonce/core';
import { doubtSweeper, once } from '@sendonce/bullmq';
import { eventually } from '@sendonce/testkit';
import * as bullmq6 from 'bullmq';
import { expect, test, vi } from 'vitest';
import { type Job, onBothVersions, startStage } from '../../bullmq/test/stage.ts';
import { measured } from './measured.ts';

const key = (job: Job) => ['notice', job.data.orderId];
const attempts = (outcome: string, queue = 'q') => ({
  'messaging.destination.name': queue,
  'sendonce.outcome': outcome,
});

function failing(code: string) {
  return async () => {
    throw Object.assign(new Error('to ada@example.org'), { code });
  };
}

onBothVersions((bullmq) => {
  test('32 copies of a job: 1 sent, 31 duplicates or moments of being busy that end as duplicates', async () => {
    const stage = startStage(bullmq);
    const { telemetry, sum, metrics } = measured();
    const heard: string[] = [];
    const options = telemetry.observe({
      ledger: stage.ledger,
      key,
      onEvent: ({ type, job }: { type: string; job: Job }) =>
        void heard.push(`${type} ${job.name}`),
    });
    stage.worker(
      once(async () => 'done', options),
      { concurrency: 32 },
    );
    const jobs = await Promise.all(
      Array.from({ length: 32 }, () => stage.queue().add('n', { orderId: 4711 })),
    );
    for (const job of jobs) expect((await stage.ended(job)).state).toBe('completed');

    expect(await sum('sendonce.attempts', attempts('sent'))).toBe(1);
    expect(await sum('sendonce.attempts', attempts('duplicate'))).toBe(31);
    expect(await sum('sendonce.steps', { 'sendonce.step': 'claimed' })).toBe(1);
    expect(await sum('sendonce.steps', { 'sendonce.step': 'dispatched' })).toBe(1);
    const busy = await sum('sendonce.attempts', attempts('busy'));
    // Each attempt ends once, so the sum over all attributes is the number of claims that were
    // asked for.
    expect(await sum('sendonce.attempts')).toBe(32 + busy);
    expect(await sum('sendonce.ledger.duration', { 'sendonce.ledger.verb': 'claim' })).toBe(
      32 + busy,
    );
    expect(await sum('sendonce.send.duration', attempts('sent'))).toBe(1);
    expect(await sum('sendonce.send.duration')).toBe(1);
    // A listener of one's own is still called, with its job.
    expect(heard.filter((line) => line === 'duplicate n')).toHaveLength(31);
    // No series per job: of all that was emitted no attribute but these.
    const names = (await metrics()).flatMap(({ points }) =>
      points.flatMap(({ attributes }) => Object.keys(attributes)),
    );
    expect([...new Set(names)].toSorted()).toEqual([
      'messaging.destination.name',
      'sendonce.ledger.verb',
      'sendonce.outcome',
      'sendonce.step',
    ]);
  });

  test('an email in doubt, a rejected one, a released one, a conflict, a cancelled one', async () => {
    const stage = startStage(bullmq);
    const { telemetry, sum, metrics } = measured();
    const observed = telemetry.observe({
      ledger: stage.ledger,
      key,
      fingerprint: (job: Job) => job.data,
      classify: (error: unknown) =>
        (error as { code?: string }).code === '552' ? ('rejected' as const) : undefined,
    });
    const refused = { ...observed, classify: () => 'not-sent' as const };
    stage.worker(once(failing('ETIMEDOUT'), observed), { queue: 'doubts' });
    stage.worker(once(failing('552'), observed), { queue: 'bounces' });
    stage.worker(once(failing('ECONNREFUSED'), refused), { queue: 'refused' });
    stage.worker(
      once(async () => 'ok', observed),
      { queue: 'fine' },
    );
    const run = async (queue: string, data: object) => {
      const job = await stage.queue(queue).add('n', data);
      return (await stage.ended(job, { queue })).state;
    };
    expect(await run('doubts', { orderId: 1 })).toBe('failed');
    expect(await run('bounces', { orderId: 2 })).toBe('failed');
    expect(await run('refused', { orderId: 3 })).toBe('failed');
    expect(await run('fine', { orderId: 4, text: 'a' })).toBe('completed');
    expect(await run('fine', { orderId: 4, text: 'b' })).toBe('failed');
    await observed.ledger.cancel({ key: deriveKey(['notice', 5]), retentionMs: 60_000 });
    expect(await run('fine', { orderId: 5 })).toBe('completed');

    expect(await sum('sendonce.attempts', attempts('in-doubt', 'doubts'))).toBe(1);
    expect(await sum('sendonce.attempts', attempts('rejected', 'bounces'))).toBe(1);
    expect(await sum('sendonce.attempts', attempts('released', 'refused'))).toBe(1);
    expect(await sum('sendonce.attempts', attempts('conflict', 'fine'))).toBe(1);
    expect(await sum('sendonce.attempts', attempts('cancelled', 'fine'))).toBe(1);
    expect(await sum('sendonce.attempts')).toBe(6);
    for (const outcome of ['in-doubt', 'rejected', 'released', 'sent']) {
      expect(await sum('sendonce.send.duration', { 'sendonce.outcome': outcome })).toBe(1);
    }
    for (const verb of ['claim', 'settle', 'release', 'cancel', 'read']) {
      expect(
        await sum('sendonce.ledger.duration', { 'sendonce.ledger.verb': verb }),
      ).toBeGreaterThan(0);
    }
    const all = JSON.stringify((await metrics()).map(({ points }) => points));
    for (const secret of ['ada', deriveKey(['notice', 1]), 'ETIMEDOUT', 'ECONNREFUSED']) {
      expect(all).not.toContain(secret);
    }
  });

  test('doubts that are ended count by what means', async () => {
    const stage = startStage(bullmq);
    const { telemetry, sum } = measured();
    const ledger = telemetry.ledger(stage.ledger);
    const observed = telemetry.observe({ ledger, key });
    stage.worker(once(failing('ETIMEDOUT'), observed));
    const resolver = async () => 'sent' as const;
    stage.worker(once(failing('ETIMEDOUT'), { ...observed, resolver }), { queue: 'asking' });
    for (const [queue, orderId] of [
      ['q', 1],
      ['q', 2],
      ['q', 3],
      ['asking', 4],
    ] as const) {
      await stage.ended(await stage.queue(queue).add('n', { orderId }), { queue });
    }
    const meansOf = (means: string, verdict = 'sent') =>
      sum('sendonce.resolutions', { 'sendonce.means': means, 'sendonce.verdict': verdict });
    expect(await meansOf('resolver')).toBe(1);
    const [one, two] = [deriveKey(['notice', 1]), deriveKey(['notice', 2])];
    await confirmSent({ ledger }, { key: one, by: 'webhook of Brevo' });
    expect(await meansOf('confirm-sent')).toBe(1);
    const { token } = (await ledger.read(two))!;
    await resolveEmail({ ledger }, { key: two, token, verdict: 'not-sent', by: 'Ann' });
    // What is not in doubt is not ended by anybody.
    const late = { key: one, token, verdict: 'not-sent', by: 'Bob' } as const;
    expect(await resolveEmail({ ledger }, late)).toMatchObject({ state: 'not-in-doubt' });
    expect(await meansOf('person', 'not-sent')).toBe(1);
    const sweeper = stage.adopt(doubtSweeper(stage.queue(), { ledger, resolver }));
    expect(await sweeper.sweep()).toMatchObject({ sent: 1 });
    expect(await meansOf('sweeper')).toBe(1);
    expect(await sum('sendonce.resolutions')).toBe(4);
  });
});

test('perform() counts as well, and an attempt without a job is not a separate series', async () => {
  const stage = startStage(bullmq6);
  const { telemetry, sum } = measured();
  for (let order = 0; order < 150; order++) {
    const key = deriveKey(['cron', order]);
    const queue = order < 20 ? 'cron' : `cron${order}`;
    // The sender is text for people, also if it looks like a job.
    const sender = order < 10 ? { by: `order-${order}:1` } : { job: { queue, id: 'host' } };
    await perform(async () => {}, telemetry.observe({ ledger: stage.ledger, key, ...sender }));
  }
  const sent = (queue: string) => sum('sendonce.attempts', attempts('sent', queue));
  expect(await sum('sendonce.attempts')).toBe(150);
  expect(await sent('cron')).toBe(10);
  expect(await sent('cron20')).toBe(1);
  // 10 without a job, and those after the first hundred names.
  expect(await sent('_OTHER')).toBe(10 + 130 - 98);
});

test('an attempt that gives its own doubt back, and comes again, has ended once', async () => {
  const { telemetry, sum } = measured();
  const of = { key: deriveKey(['n']), token: 'one', job: { queue: 'q', id: '1' } };
  for (const type of ['claimed', 'dispatched', 'released', 'busy'] as const) {
    telemetry.onEvent({ type, ...of });
  }
  expect(await sum('sendonce.attempts', attempts('released'))).toBe(1);
  expect(await sum('sendonce.attempts')).toBe(1);
  // Another attempt is another one.
  telemetry.onEvent({ type: 'busy', ...of, token: 'two' });
  expect(await sum('sendonce.attempts')).toBe(2);
});

test('a send is timed until its outcome is known, not until the ledger has recorded it', async () => {
  const { telemetry, metrics } = measured();
  const store = memoryLedger();
  let settlingMs = 0;
  const slow: Ledger = {
    ...store,
    settle: async (settlement) => {
      settlingMs = performance.now();
      await setTimeout(300);
      return store.settle(settlement);
    },
  };
  const options = telemetry.observe({
    ledger: slow,
    key: deriveKey(['n']),
    job: { queue: 'q', id: '1' },
  });
  const startMs = performance.now();
  await perform(() => setTimeout(50), options);
  const send = (await metrics()).find(({ name }) => name === 'sendonce.send.duration');
  const { sum } = send!.points[0]!.value as { sum: number };
  expect(sum).toBeGreaterThan(0.045);
  expect(sum).toBeLessThan((settlingMs - startMs) / 1000);
});

test('an outcome that the ledger does not take ends the attempt as unrecorded, once', async () => {
  const stage = startStage(bullmq6);
  const { telemetry, sum } = measured();
  const down = Object.assign(new Error('down'), { code: 'EDOWN' });
  const ledger = { ...stage.ledger, settle: () => Promise.reject(down) };
  const key = deriveKey(['notice', 1]);
  const options = telemetry.observe({ ledger, key, job: { queue: 'q', id: '1' } });
  await expect(perform(async () => 'sent', options)).rejects.toThrow('could not be recorded');
  await eventually(async () =>
    expect(await sum('sendonce.attempts', attempts('unrecorded'))).toBe(1),
  );
  expect(await sum('sendonce.attempts')).toBe(1);
  expect(await sum('sendonce.steps', { 'sendonce.step': 'unrecorded' })).toBe(1);
  const failed = { 'sendonce.ledger.verb': 'settle', 'error.type': 'EDOWN' };
  expect(await sum('sendonce.ledger.duration', failed)).toBe(1);
});

test('open emails and doubts are gauges, read only if the options ask for them', async () => {
  const stage = startStage(bullmq6);
  const { telemetry, sum, metrics } = measured();
  const list = vi.spyOn(stage.ledger, 'list');
  const observed = telemetry.observe({ ledger: stage.ledger, key: deriveKey(['n', 1]) });
  await perform(failing('ETIMEDOUT'), observed);
  expect((await metrics()).filter(({ kind }) => kind === 'gauge')).toEqual([]);
  expect(list).not.toHaveBeenCalled();
  const watch = telemetry.watchDoubts(observed.ledger);
  expect(await sum('sendonce.open_emails', { 'sendonce.state': 'in-doubt' })).toBe(1);
  expect(await sum('sendonce.open_emails', { 'sendonce.state': 'sending' })).toBe(0);
  await eventually(async () =>
    expect(await sum('sendonce.oldest_doubt.age')).toBeGreaterThan(0.05),
  );
  await watch.close();
  const asked = list.mock.calls.length;
  await metrics();
  expect(list).toHaveBeenCalledTimes(asked);
});
