import { deriveKey } from '@sendonce/core';
import { describe, expect, test } from 'vitest';
import { delayedEmails, once } from '../src/index.ts';
import { type Job, onBothVersions, startStage } from './stage.ts';

interface Notice {
  readonly order: number;
}
const order: Notice = { order: 7 };
const key = deriveKey(['notice', 7]);
const select = ({ order: number }: Notice) => ['notice', number];
const unreadable = expect.objectContaining({
  code: 'SENDONCE_SCHEDULE',
  mayHaveLeft: 'no',
  message: expect.stringMatching(/another version of sendonce.*sent nothing/) as string,
});

onBothVersions((bullmq) => {
  describe.each([
    ['a newer', { version: 3 }],
    ['some', { version: 2 }],
    ['an older', { version: undefined }],
  ])('an email that %s version of sendonce scheduled', (_name, changes) => {
    /** Adds the job of an email as another version would, with another form of its stamp. */
    async function addJob(when: { delay: number }, attempts = 1) {
      const stage = startStage(bullmq);
      const { ledger } = stage;
      const queue = stage.queue();
      const emails = delayedEmails<Notice>(queue, { ledger, key: select });
      const { name, data, opts } = await emails.flowJob(order, when);
      const { sendonce: stamp, ...jobOptions } = opts as { sendonce: object };
      const sendonce = { ...stamp, ...changes };
      const job = await queue.add(name, data, { ...jobOptions, sendonce, attempts } as object);
      return { stage, ledger, queue, emails, job };
    }

    test('is not sent: its job says which version it needs, and may be retried', async () => {
      const { stage, ledger, queue, job } = await addJob({ delay: 0 }, 2);
      let sent = 0;
      const processor = once(async () => void ++sent, {
        ledger,
        key: (one: Job) => select(one.data as Notice),
      });
      stage.worker(processor);
      const ended = await stage.ended(job);
      expect(ended).toMatchObject({ state: 'failed', attemptsMade: 2 });
      expect(ended.failedReason).toMatch(
        /^The job email-\S+ was scheduled by another version of sendonce: its stamp has version ([23]|none), and this program reads versions up to 2\. This attempt sent nothing\. Run the version of sendonce that scheduled the job, then retry the job\. See \S+\/schedule\.md$/,
      );
      expect(sent).toBe(0);
      expect(processor.counters.claimed).toBe(0);
      expect(await ledger.read(key)).toBeUndefined();
      expect(await queue.getJobCounts('wait', 'delayed')).toEqual({ wait: 0, delayed: 0 });
    });

    test('is found, moved and cancelled by its job and its key alone', async () => {
      const { emails, job } = await addJob({ delay: 60_000 });
      expect(await emails.schedule(order, { delay: 0 })).toMatchObject({
        state: 'already-scheduled',
        jobId: job.id,
      });
      expect(await emails.reschedule(order, { delay: 90_000 })).toMatchObject({
        state: 'rescheduled',
      });
      expect(await emails.status(order)).toMatchObject({ state: 'scheduled' });
      expect(await emails.cancel(order)).toMatchObject({ state: 'cancelled' });
    });

    test('is not compared by its fingerprint: schedule() says so and adds no job', async () => {
      const { queue, ledger } = await addJob({ delay: 60_000 });
      const emails = delayedEmails<Notice>(queue, {
        ledger,
        key: select,
        fingerprint: (data) => data,
      });
      await expect(emails.schedule(order, { delay: 0 })).rejects.toEqual(unreadable);
      expect(await queue.getJobCounts('wait', 'delayed')).toEqual({ wait: 0, delayed: 1 });
    });

    test('is not scheduled again from its failed job', async () => {
      const { stage, queue, emails, job } = await addJob({ delay: 0 });
      stage.worker(async () => {
        throw new Error('it fails for good');
      });
      await stage.ended(job);
      await expect(emails.reschedule(order, { delay: 60_000 })).rejects.toEqual(unreadable);
      expect(await queue.getJobCounts('wait', 'delayed')).toEqual({ wait: 0, delayed: 0 });
    });
  });
});
