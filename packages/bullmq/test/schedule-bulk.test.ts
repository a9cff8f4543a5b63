import { startTcpProxy } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { expect, test } from 'vitest';
import { delayedEmails, type Scheduled } from '../src/index.ts';
import { onBothVersions, type Stage, startStage } from './stage.ts';

interface Notice {
  readonly order: number;
  readonly text?: string;
}

const later = { delay: 3_600_000 };
const notices = (count: number, from = 1) =>
  Array.from({ length: count }, (_, index) => ({ data: { order: from + index }, ...later }));

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

onBothVersions((bullmq) => {
  function open(stage: Stage = startStage(bullmq), queue = stage.queue()) {
    const { ledger } = stage;
    const emails = delayedEmails<Notice>(queue, { ledger, key: ({ order }) => order });
    const waiting = () => stage.queue().getDelayedCount();
    return { stage, queue, emails, waiting };
  }

  test('a bulk of no emails does nothing, with every method', async () => {
    const { emails, waiting } = open();
    expect(await emails.scheduleBulk([])).toEqual([]);
    expect(await emails.rescheduleBulk([])).toEqual([]);
    expect(await emails.cancelBulk([])).toEqual([]);
    expect(await emails.statusBulk([])).toEqual([]);
    expect(await collect(emails.scheduleEach([]))).toEqual([]);
    expect(await waiting()).toBe(0);
  });

  test.each([
    ['a time', { delay: Number.NaN }, 'delay'],
    ['a priority', { ...later, job: { priority: 1.5 } }, 'job.priority'],
    ['a priority that is too high', { ...later, job: { priority: 2 ** 21 } }, 'job.priority'],
    ['data', { data: { order: 600, text: Number.NaN as never }, ...later }, 'data'],
  ])('one email of 700 with %s that is wrong: nothing is scheduled', async (_, bad, option) => {
    const { emails, waiting } = open();
    const all: Parameters<typeof emails.scheduleBulk>[0][number][] = notices(700);
    all[599] = { data: { order: 600 }, ...bad };
    await expect(emails.scheduleBulk(all)).rejects.toMatchObject({ option, mayHaveLeft: 'no' });
    expect(await waiting()).toBe(0);
  });

  test('one email of 700 that cannot be moved to its time: none is moved', async () => {
    const { emails } = open();
    await emails.scheduleBulk(notices(700));
    const moves = notices(700).map(({ data }) => ({ email: data, delay: 7_200_000 }));
    moves[599] = { email: { order: 600 }, delay: Number.NaN };
    await expect(emails.rescheduleBulk(moves)).rejects.toMatchObject({ option: 'delay' });
    const status = await emails.status({ order: 1 });
    expect(status).toMatchObject({ state: 'scheduled' });
    expect((status as { at: Date }).at.getTime()).toBeLessThan(Date.now() + 3_700_000);
  });

  test('the same email twice in one list: the first one is scheduled', async () => {
    const { emails, queue, waiting } = open();
    // Twice in one page, and in two pages.
    const all = [...notices(300), { data: { order: 7, text: 'late' }, ...later }, ...notices(200)];
    const answers = await emails.scheduleBulk(all);
    expect(answers.slice(0, 300).map(({ state }) => state)).toEqual(Array(300).fill('scheduled'));
    expect(new Set(answers.slice(300).map(({ state }) => state))).toEqual(
      new Set(['already-scheduled']),
    );
    expect(await waiting()).toBe(300);
    const job = await queue.getJob(`email-${emails.keyOf({ order: 7 })}`);
    expect(job?.data).toEqual({ order: 7 });
  });

  test('a queue that is away in the middle: the answers so far, then all of it again', async () => {
    const stage = startStage(bullmq);
    const proxy = await startTcpProxy({ url: redisUrl() });
    stage.onEnd(proxy.close);
    const client = stage.client(proxy.url, {
      maxRetriesPerRequest: 0,
      retryStrategy: () => 1000,
      enableOfflineQueue: false,
    });
    const far = stage.adopt(new bullmq.Queue('q', { connection: client, prefix: stage.prefix }));
    let pages = 0;
    const add = far.addBulk.bind(far);
    far.addBulk = async (jobs) => {
      pages += 1;
      if (pages === 3) await proxy.close();
      return add(jobs);
    };
    await far.waitUntilReady();
    const { emails } = open(stage, far);
    const error = await emails.scheduleBulk(notices(1000)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SENDONCE_SCHEDULE', mayHaveLeft: 'maybe' });
    const { answers, message } = error as { answers: (Scheduled | undefined)[]; message: string };
    const known = answers.filter((answer) => answer?.state === 'scheduled').length;
    expect(known).toBeGreaterThanOrEqual(250);
    expect(known).toBeLessThan(1000);
    expect(message).toMatch(
      /^scheduleBulk\(\) stopped: of 1000 emails, \d+ have an answer.*again with the same list/s,
    );
    const { emails: near, waiting } = open(stage);
    const again = await near.scheduleBulk(notices(1000));
    expect(again.filter(({ state }) => !/^(already-)?scheduled$/.test(state))).toEqual([]);
    expect(await waiting()).toBe(1000);
  });

  test('a closed queue: it is unknown what was done', async () => {
    const { emails, queue } = open();
    await queue.waitUntilReady();
    await queue.close();
    await expect(emails.schedule({ order: 1 }, later)).rejects.toMatchObject({
      code: 'SENDONCE_SCHEDULE',
    });
    await expect(emails.scheduleBulk(notices(3))).rejects.toMatchObject({
      code: 'SENDONCE_SCHEDULE',
      answers: [undefined, undefined, undefined],
    });
  });

  test('scheduleEach() reads a stream only as far as it is asked for', async () => {
    const { emails, waiting } = open();
    let read = 0;
    async function* stream() {
      for (const notice of notices(10_000)) {
        read += 1;
        yield notice;
      }
    }
    let done = 0;
    for await (const { state } of emails.scheduleEach(stream())) {
      expect(state).toBe('scheduled');
      done += 1;
      if (done === 300) break;
    }
    expect(read).toBe(500);
    expect(await waiting()).toBe(500);
  });

  test('scheduleEach() with a wrong email: the pages before it are scheduled', async () => {
    const { emails, waiting } = open();
    const all: { data: Notice; delay: number }[] = notices(600);
    all[599] = { data: { order: 600 }, delay: Number.NaN };
    const run = collect(emails.scheduleEach(all));
    await expect(run).rejects.toMatchObject({ option: 'delay' });
    expect(await waiting()).toBe(500);
    // Begun again without it, nothing is scheduled twice.
    const again = await collect(emails.scheduleEach(all.slice(0, 599)));
    expect(again.filter(({ state }) => state === 'scheduled')).toHaveLength(99);
    expect(await waiting()).toBe(599);
  });

  test.each([undefined, 7, 'email', {}])('scheduleEach(%j) is refused', async (wrong) => {
    const { emails } = open();
    const run = collect(emails.scheduleEach(wrong as never));
    await expect(run).rejects.toMatchObject({ option: 'emails' });
  });
});
