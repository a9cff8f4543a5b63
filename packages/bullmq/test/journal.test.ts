import { confirmSent, deriveKey, memoryLedger } from '@sendonce/core';
import { redisJournal } from '@sendonce/redis';
import { eventually } from '@sendonce/testkit';
import { expect, test, vi } from 'vitest';
import { delayedEmails, once, type OnceOptions } from '../src/index.ts';
import { type Job, onBothVersions, startStage } from './stage.ts';

const key = (job: Job) => ['notice', job.data.orderId];
const label = (job: Job) => `order ${job.data.orderId}`;

onBothVersions((bullmq) => {
  test('32 copies of a job: the journal counts 1 sent and 31 duplicates, and has an entry for each', async () => {
    const stage = startStage(bullmq);
    const journal = redisJournal(stage.client(), {
      prefix: `${stage.prefix}:ledger`,
      intervalMs: 10,
    });
    const processor = once(async () => ({ messageId: 'm' }), {
      ledger: stage.ledger,
      journal,
      key,
      label,
    });
    stage.worker(processor, { concurrency: 32 });
    const jobs = await Promise.all(
      Array.from({ length: 32 }, () => stage.queue().add('n', { orderId: 4711 })),
    );
    for (const job of jobs) await stage.ended(job);
    await journal.flush();

    const [hour] = (await journal.counts(Date.now() - 60_000)).slice(-1);
    expect(hour!.counts).toMatchObject({ sent: 1, duplicate: 31 });
    const email = deriveKey(['notice', 4711]);
    expect(await journal.find('order 4711')).toEqual([email]);
    for (const job of jobs) expect(await journal.find(`q:${job.id}`)).toEqual([email]);
    const history = await journal.history(email);
    expect(history.filter(({ type }) => type === 'duplicate')).toHaveLength(31);
    expect(new Set(history.map(({ job }) => job?.id)).size).toBe(32);
  });

  test('an orderly shutdown keeps the journal of all that was scheduled, cancelled and sent', async () => {
    const stage = startStage(bullmq);
    const { ledger } = stage;
    const client = stage.client();
    const prefix = `${stage.prefix}:ledger`;
    // Longer than this test: what is not flushed at the end is lost.
    const journal = redisJournal(client, { prefix, intervalMs: 60_000 });
    const queue = stage.queue();
    const notices = delayedEmails<{ orderId: number }>(queue, {
      ledger,
      journal,
      key: ({ orderId }) => ['notice', orderId],
    });
    const worker = stage.worker(once(async () => {}, { ledger, journal, key }));
    await notices.schedule({ orderId: 0 }, { delay: 0 });
    await eventually(async () => expect((await notices.status({ orderId: 0 })).state).toBe('sent'));
    await worker.close();
    for (let orderId = 1; orderId < 8; orderId++) {
      await notices.schedule({ orderId }, { delay: 60_000 });
    }
    await notices.reschedule({ orderId: 2 }, { delay: 90_000 });
    await notices.cancel({ orderId: 1 });
    await client.quit();

    const read = redisJournal(stage.client(), { prefix });
    const [hour] = (await read.counts(Date.now() - 60_000)).slice(-1);
    expect(hour!.counts).toEqual({
      scheduled: 8,
      rescheduled: 1,
      cancelled: 1,
      claimed: 1,
      dispatched: 1,
      sent: 1,
    });
  });

  test('many wrappers on one worker add one listener to it', async () => {
    const stage = startStage(bullmq);
    const { ledger } = stage;
    const journal = redisJournal(stage.client(), { prefix: `${stage.prefix}:ledger` });
    // A wrapper for each job, as where the options depend on the job.
    const process = (job: Job) =>
      once(async () => 'sent', { ledger, journal, key: () => ['notice', job.id] })(job);
    const worker = stage.worker(process);
    const before = worker.listenerCount('closed');
    for (let n = 0; n < 15; n++) await stage.ended(await stage.queue().add('n', {}));
    expect(worker.listenerCount('closed')).toBe(before + 1);
  });

  test('the journal says why an email is in doubt by a code, never by the message of the error', async () => {
    const stage = startStage(bullmq);
    const journal = redisJournal(stage.client(), { prefix: `${stage.prefix}:ledger` });
    const processor = once(
      async () => {
        throw Object.assign(new Error('to ada@example.org'), { code: 'ETIMEDOUT' });
      },
      { ledger: stage.ledger, journal, key },
    );
    stage.worker(processor);
    const job = await stage.queue().add('n', { orderId: 1 });
    await stage.ended(job);
    await journal.flush();
    const history = await journal.history(deriveKey(['notice', 1]));
    expect(history.at(-1)).toMatchObject({
      type: 'in-doubt',
      note: 'ETIMEDOUT',
      job: { queue: 'q', id: job.id },
    });
    expect(JSON.stringify(history)).not.toContain('ada');
  });

  test('the journal says who resolved a doubt: the resolver of an attempt, or a webhook', async () => {
    const stage = startStage(bullmq);
    const { ledger } = stage;
    const journal = redisJournal(stage.client(), { prefix: `${stage.prefix}:ledger` });
    const failing = async () => {
      throw new Error('?');
    };
    const resolver = async () => 'sent' as const;
    stage.worker(once(failing, { ledger, journal, key, resolver }));
    stage.worker(once(failing, { ledger, journal, key }), { queue: 'other' });
    const job = await stage.queue().add('n', { orderId: 1 });
    await stage.ended(job);
    await stage.ended(await stage.queue('other').add('n', { orderId: 2 }), { queue: 'other' });
    const email = { key: deriveKey(['notice', 2]), by: 'webhook of Brevo' };
    expect(await confirmSent({ ledger, journal }, email)).toEqual({ state: 'resolved' });
    await journal.flush();
    const resolved = async (orderId: number) =>
      (await journal.history(deriveKey(['notice', orderId]))).find(
        ({ type }) => type === 'resolved-sent',
      )?.by;
    expect(await resolved(1)).toBe(`resolver of q:${job.id}`);
    expect(await resolved(2)).toBe('webhook of Brevo');
  });

  test('neither a label that throws nor a journal that is away holds up an email', async () => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const stage = startStage(bullmq);
    const away = stage.client('redis://127.0.0.1:1', { maxRetriesPerRequest: 0 });
    let sent = 0;
    const processor = once(async () => void ++sent, {
      ledger: stage.ledger,
      journal: redisJournal(away),
      key,
      label() {
        throw new Error('no label');
      },
    });
    stage.worker(processor);
    const job = await stage.queue().add('n', { orderId: 1 });
    expect((await stage.ended(job)).state).toBe('completed');
    expect(sent).toBe(1);
    vi.restoreAllMocks();
  });
});

test.each([
  ['journal', { journal: {} }],
  ['label', { label: 'order' }],
])('a wrong %s is refused at once', (option, wrong) => {
  const options = { ledger: memoryLedger(), key, ...wrong } as OnceOptions<Job>;
  expect(() => once(async () => {}, options)).toThrow(expect.objectContaining({ option }));
});
