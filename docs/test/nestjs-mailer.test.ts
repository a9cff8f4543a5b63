import { MailerModule, type MailerOptions, MailerService } from '@nestjs-modules/mailer';
import { HandlebarsAdapter } from '@nestjs-modules/mailer/adapters/handlebars.adapter';
import { NestFactory } from '@nestjs/core';
import { deriveKey, memoryLedger, once, type OnceOptions } from '@sendonce/bullmq';
import { fakeJob, runJob, runJobs } from '@sendonce/bullmq/testing';
import { dispatchAtSend } from '@sendonce/mail';
import { startSmtpServer, type SmtpServer } from '@sendonce/testkit';
import type { Job } from 'bullmq';
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest';

// The recipe docs/recipes/nestjs-mailer.md, against the real package.

const servers = await Promise.all([startSmtpServer(), startSmtpServer()]);
const [first, second] = servers;
afterAll(() => Promise.all(servers.map((server) => server.close())));
beforeEach(() => {
  for (const server of servers) {
    server.received.length = 0;
    server.setFault(undefined);
  }
});

interface Notice {
  orderId: number;
  transporterName?: string;
}
const key = ({ data }: Job<Notice>) => ['notice', data.orderId];
const urlOf = ({ port }: SmtpServer) => `smtp://127.0.0.1:${port}`;
const data = { orderId: 4711 };

async function startMailer(options: MailerOptions): Promise<MailerService> {
  const app = await NestFactory.createApplicationContext(
    MailerModule.forRoot({
      plugins: [{ step: 'stream', plugin: dispatchAtSend() }],
      template: {
        dir: new URL('templates', import.meta.url).pathname,
        adapter: new HandlebarsAdapter(),
      },
      ...options,
    }),
    { logger: false },
  );
  onTestFinished(() => app.close());
  return app.get(MailerService);
}

function wrap(mailer: MailerService, options: Partial<OnceOptions<Job<Notice>>> = {}) {
  return once(
    async ({ data: { orderId, transporterName } }: Job<Notice>) =>
      mailer.sendMail({
        from: 'shop@example.com',
        to: 'ada@example.org',
        subject: `Order ${orderId}`,
        template: 'notice',
        context: { orderId, name: 'Ada' },
        ...(transporterName !== undefined && { transporterName }),
      }),
    { ledger: memoryLedger(), key, dispatch: 'at-send', ...options },
  );
}

/** Without the soft line breaks of quoted-printable. */
const withoutEncoding = (raw: string) => raw.replaceAll('=\r\n', '').replaceAll('=3D', '=');

const copies = (of: Notice = data) =>
  Array.from({ length: 32 }, () => fakeJob({ data: of, opts: { attempts: 3 } }));

test('32 copies send one email, with the template of the Handlebars adapter', async () => {
  const mailer = await startMailer({ transport: urlOf(first) });
  const processor = wrap(mailer);
  const runs = await runJobs(processor, copies());
  expect(runs.map(({ state }) => state)).toEqual(copies().map(() => 'completed'));
  expect(first.received).toHaveLength(1);
  expect(withoutEncoding(first.received[0]!.raw)).toContain(
    '<p style="color: #333;">Order 4711 is delayed. Sorry, Ada.</p>',
  );
  expect(processor.counters).toMatchObject({ sent: 1, dispatched: 1, undispatched: 0 });
});

test('every named transporter has the plugin, and one that is added later, too', async () => {
  const mailer = await startMailer({ transports: { orders: urlOf(first) } });
  mailer.addTransporter('marketing', urlOf(second));
  const processor = wrap(mailer);
  await runJobs(processor, copies({ orderId: 1, transporterName: 'orders' }));
  await runJobs(processor, copies({ orderId: 2, transporterName: 'marketing' }));
  expect([first.received.length, second.received.length]).toEqual([1, 1]);
  expect(processor.counters).toMatchObject({ sent: 2, dispatched: 2, undispatched: 0 });
});

test('a fallback to another transporter sends only what the first one has certainly not', async () => {
  const mailer = await startMailer({
    transports: { orders: urlOf(first), fallback: urlOf(second) },
  });
  const from = 'shop@example.com';
  const email = { from, to: 'ada@example.org', template: 'notice', context: { orderId: 4711 } };
  const send = (transporterName: string) => mailer.sendMail({ ...email, transporterName });
  const processor = () =>
    once(async (_job: Job<Notice>) => send('orders').catch(() => send('fallback')), {
      ledger: memoryLedger(),
      key,
      dispatch: 'at-send',
    });
  first.setFault({ at: 'mail', how: '4xx' });
  expect((await runJob(processor(), copies()[0]!)).state).toBe('completed');
  expect([first.received.length, second.received.length]).toEqual([0, 1]);

  first.setFault({ at: 'dot-after-accept', how: 'reset' });
  const run = await runJob(processor(), copies()[0]!);
  expect(run.state).toBe('failed');
  expect([first.received.length, second.received.length]).toEqual([1, 1]);
});

test('an email that "sendTimeout" has given up is recorded when its outcome is known', async () => {
  const mailer = await startMailer({ transport: urlOf(first), sendTimeout: 100 });
  first.setFault({ at: 'dot-after-accept', how: 'hang' });
  const ledger = memoryLedger();
  const running = runJob(wrap(mailer, { ledger }), copies()[0]!);
  await expect.poll(() => first.received.length).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await ledger.read(deriveKey(['notice', 4711])))?.state).toBe('dispatched');
  await first.close();
  const run = await running;
  expect(run).toMatchObject({ state: 'failed', error: { code: 'SENDONCE_IN_DOUBT' } });
});
