import { deriveKey } from '@sendonce/core';
import { eventually } from '@sendonce/testkit';
import { expect, test } from 'vitest';
import { delayedEmails, once } from '../src/index.ts';
import { gate, type Job, onBothVersions, type Stage, startStage } from './stage.ts';

interface Notice {
  readonly order: number;
}
const select = (data: Notice) => ['notice', data.order];

onBothVersions((bullmq) => {
  function open(stage: Stage, options: { concurrency?: number } = {}) {
    const queue = stage.queue();
    const emails = delayedEmails<Notice>(queue, { ledger: stage.ledger, key: select });
    const sent: number[] = [];
    const worker = () =>
      stage.worker(
        once(async (job: Job) => void sent.push(job.data.order as number), {
          ledger: stage.ledger,
          key: (job) => select(job.data as Notice),
        }),
        { concurrency: 1, ...options },
      );
    const flow = () =>
      stage.adopt(new bullmq.FlowProducer({ connection: stage.connection, prefix: stage.prefix }));
    return { queue, emails, sent, worker, flow };
  }

  const completed = (stage: Stage, id: string, queue?: string) =>
    eventually(async () => {
      expect(await stage.queue(queue).getJobState(id)).toBe('completed');
    });

  test('priorities: of two that are due the more urgent one leaves first', async () => {
    const stage = startStage(bullmq);
    const { queue, emails, sent, worker } = open(stage);
    await emails.schedule({ order: 1 }, { delay: 0, job: { priority: 10 } });
    await emails.schedule({ order: 2 }, { delay: 0, job: { priority: 1 } });
    expect((await emails.status({ order: 1 })).state).toBe('due');
    expect((await emails.schedule({ order: 1 }, { delay: 0 })).state).toBe('already-scheduled');
    worker();
    await eventually(async () => expect(await queue.getCompletedCount()).toBe(2));
    expect(sent).toEqual([2, 1]);
  });

  test('an email that waits for its children in a flow: scheduled, not moved, sent after them', async () => {
    const stage = startStage(bullmq);
    const { queue, emails, sent, worker, flow } = open(stage);
    const door = gate();
    stage.worker(() => door.wait, { queue: 'invoices' });
    const email = await emails.flowJob({ order: 7 }, { delay: 0 });
    const child = { name: 'invoice', queueName: 'invoices', data: {} };
    const { job } = await flow().add({ ...email, children: [child] });
    worker();
    expect(await emails.status({ order: 7 })).toMatchObject({ state: 'scheduled', jobId: job.id });
    expect((await emails.schedule({ order: 7 }, { delay: 0 })).state).toBe('already-scheduled');
    await expect(emails.reschedule({ order: 7 }, { delay: 5 })).rejects.toMatchObject({
      code: 'SENDONCE_SCHEDULE',
      message: expect.stringMatching(/waits for its children.*cancel it/s),
    });
    expect(sent).toEqual([]);
    door.open();
    await completed(stage, job.id ?? '');
    expect(sent).toEqual([7]);
    expect(await queue.getFailedCount()).toBe(0);
  });

  test('if an email that is a child in a flow is cancelled, the flow continues and nothing is sent', async () => {
    const stage = startStage(bullmq);
    const { emails, sent, worker, flow } = open(stage);
    const email = await emails.flowJob({ order: 7 }, { delay: 50 });
    const { job } = await flow().add({
      name: 'report',
      queueName: 'reports',
      data: {},
      children: [email],
    });
    expect(await emails.cancel({ order: 7 })).toMatchObject({ state: 'cancelled' });
    worker();
    stage.worker(async () => 'reported', { queue: 'reports' });
    // The parent is not left waiting for ever.
    await completed(stage, job.id ?? '', 'reports');
    expect(sent).toEqual([]);
  });

  test('an email that waits for its children is cancelled: they still run, it completes unsent', async () => {
    const stage = startStage(bullmq);
    const { emails, sent, worker, flow } = open(stage);
    const email = await emails.flowJob({ order: 7 }, { delay: 0 });
    const child = { name: 'invoice', queueName: 'invoices', data: {} };
    const { job, children } = await flow().add({ ...email, children: [child] });
    expect(await emails.cancel({ order: 7 })).toMatchObject({ state: 'cancelled' });
    worker();
    stage.worker(async () => 'done', { queue: 'invoices' });
    await completed(stage, job.id ?? '');
    await completed(stage, children?.[0]?.job.id ?? '', 'invoices');
    expect(sent).toEqual([]);
  });

  test('a job scheduler sends one email per iteration, and one can be cancelled by its key', async () => {
    const stage = startStage(bullmq);
    const { queue, emails, sent, worker } = open(stage);
    const template = { name: 'weekly', data: { order: 7 } };
    const first = await queue.upsertJobScheduler('weekly', { every: 300, limit: 4 }, template);
    const firstId = first?.id ?? '';
    // A scheduler's job has the iteration in its key: [what "key" selects, the id of the job].
    const key = deriveKey([select({ order: 7 }), firstId]);
    expect(await emails.cancel(key)).toMatchObject({ state: 'cancelled' });
    worker();
    await eventually(
      async () => expect(await queue.getCompletedCount()).toBeGreaterThanOrEqual(3),
      {
        timeoutMs: 10_000,
      },
    );
    await queue.removeJobScheduler('weekly');
    const done = await queue.getCompletedCount();
    expect(sent).toHaveLength(done - 1);
    expect(await emails.status(key)).toMatchObject({ state: 'cancelled' });
  });

  test('an email whose worker dies between claim and dispatch is sent once', async () => {
    const stage = startStage(bullmq);
    const { emails, sent, worker } = open(stage);
    const { key } = await emails.schedule({ order: 7 }, { delay: 0 });
    // The claim of a worker that is gone: its lease runs out.
    const dead = { key, token: 'x'.repeat(16), leaseMs: 150, retentionMs: 60_000 };
    await stage.ledger.claim(dead);
    expect((await emails.status({ order: 7 })).state).toBe('sending');
    worker();
    await eventually(async () => expect((await emails.status({ order: 7 })).state).toBe('sent'));
    expect(sent).toEqual([7]);
  });

  test('an email in a paused queue is due, and can be cancelled', async () => {
    const stage = startStage(bullmq);
    const { queue, emails } = open(stage);
    await queue.pause();
    await emails.schedule({ order: 7 }, { delay: 0 });
    expect((await emails.status({ order: 7 })).state).toBe('due');
    expect((await emails.cancel({ order: 7 })).state).toBe('cancelled');
    expect(await queue.getWaitingCount()).toBe(0);
  });
});
