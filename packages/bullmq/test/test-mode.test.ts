import { atSend } from '@sendonce/mail';
import { startSmtpServer, type SmtpServer } from '@sendonce/testkit';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { once } from '../src/index.ts';
import { key, notice, select } from './mailer.ts';
import { type Job, onBothVersions, startStage } from './stage.ts';

let server: SmtpServer;
beforeAll(async () => {
  server = await startSmtpServer();
});
afterAll(() => server.close());

function startTransporter() {
  const transporter = createTransport(`smtp://127.0.0.1:${server.port}`);
  const email = { from: 'shop@example.com', to: 'ada@example.org', text: 'Sorry.' };
  const send = vi.fn(async (_job: Job) => ({
    messageId: (await transporter.sendMail(email)).messageId,
  }));
  return { send, transporter };
}

onBothVersions((bullmq) => {
  test.each(['before-processor', 'atSend()'])(
    '%s: 32 copies in test mode send nothing, and without it their jobs send one email',
    async (mode) => {
      server.received.length = 0;
      const stage = startStage(bullmq);
      const { send, transporter } = startTransporter();
      const wrap = (testMode: boolean) =>
        once(send, {
          ledger: stage.ledger,
          key: select,
          testMode,
          ...(mode === 'atSend()' && { dispatch: atSend(transporter) }),
        });
      const tested = wrap(true);
      const worker = stage.worker(tested, { concurrency: 8 });
      const jobs = await Promise.all(Array.from({ length: 32 }, () => notice(stage)));
      const seen = await Promise.all(jobs.map((job) => stage.ended(job)));
      expect(seen.map(({ state, returnvalue }) => [state, returnvalue])).toEqual(
        Array.from({ length: 32 }, () => ['completed', null]),
      );
      for (const { logs } of seen)
        expect(logs.at(-1)).toBe('sendonce: skipped (test-mode): not sent');
      expect(tested.counters).toMatchObject({ skipped: 32, dispatched: 0, sent: 0 });
      expect(await stage.ledger.read(key)).toMatchObject({ state: 'skipped', note: 'test-mode' });
      expect(send).not.toHaveBeenCalled();
      expect(server.received).toEqual([]);

      await worker.close();
      stage.worker(wrap(false), { concurrency: 8 });
      await Promise.all(jobs.map((job) => job.retry('completed')));
      const sent = await Promise.all(jobs.map((job) => stage.ended(job)));
      expect(sent.map(({ state }) => state)).toEqual(Array.from({ length: 32 }, () => 'completed'));
      expect(server.received).toHaveLength(1);
    },
  );
});
