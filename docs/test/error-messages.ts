import assert from 'node:assert/strict';
import { once as nextEvent } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  currentClaim,
  delayedEmails,
  deriveKey,
  memoryLedger,
  NotSentError,
  once,
  type OnceOptions,
  skipEmail,
} from '@sendonce/bullmq';
import { dashboard } from '@sendonce/dashboard';
import { fakeJob } from '@sendonce/bullmq/testing';
import { atSend } from '@sendonce/mail';
import { resendTransport } from '@sendonce/providers';
import { sendonceTelemetry } from '@sendonce/otel';
import { redisJournal, redisLedger } from '@sendonce/redis';
import { redlockLedger } from '@sendonce/redlock';
import { eventually, freePort, startRedis, startSmtpServer } from '@sendonce/testkit';
import { type Job, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createTransport } from 'nodemailer';

/** The message of each code, as it is printed when its cause is there. */
export type Messages = Readonly<Record<string, string>>;

interface Notice {
  readonly orderId: number;
  readonly to: string;
}

type Send = (job: Job<Notice>) => Promise<unknown>;

const KEY = deriveKey(['delivery-notice', 4711]);

/**
 * Causes errors and warnings with real servers, and collects what is printed. Times and ports are
 * replaced, so that each run gives the same text.
 */
export async function causeMessages(): Promise<Messages> {
  const messages: Record<string, string> = {};
  const note = (code: string, message: string) => (messages[code] ??= withoutNumbers(message));
  const onWarning = (warning: Error & { readonly code?: unknown }) => {
    if (String(warning.code).startsWith('SENDONCE_')) note(String(warning.code), warning.message);
  };
  process.on('warning', onWarning);

  const redis = await startRedis();
  const smtp = await startSmtpServer();
  const closedPort = await freePort();
  const clients: Redis[] = [];
  const stops = [smtp.close, redis.stop];
  const connect = (port: number) => {
    const client = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: 0 });
    client.on('error', () => {});
    clients.push(client);
    return client;
  };

  const ledger = memoryLedger();
  /** A worker's processor, called with a job as BullMQ gives it. */
  const processor = (send: Send, options: Partial<OnceOptions<Job<Notice>>> = {}) =>
    once(send, {
      ledger,
      key: ({ data }) => ['delivery-notice', data.orderId],
      onBusy: 'throw',
      ...options,
    });
  /** Expects a failure, and notes its message and those of its causes. */
  const fail = async (run: () => unknown) => {
    try {
      await run();
    } catch (error) {
      for (let cause = error; cause instanceof Error; cause = cause.cause) {
        const { code } = cause as { code?: unknown };
        if (String(code).startsWith('SENDONCE_')) note(String(code), cause.message);
      }
      return;
    }
    throw new Error(`Nothing failed: ${String(run)}`);
  };
  const smtpTransporter = () => createTransport({ host: smtp.host, port: smtp.port });
  const mail = (to: string) => ({ from: 'shop@example.org', to, text: 'Delayed.' });

  const warned = async (code: string) => eventually(() => assert(code in messages, code));

  try {
    // Before anything in this process has dispatched: later, this warning has no cause.
    await fail(() =>
      processor(async () => 'sent unseen', { ledger: memoryLedger(), dispatch: 'at-send' })(
        jobFor(4711),
      ),
    );
    delete messages['SENDONCE_IN_DOUBT'];

    const client = connect(redis.port);
    await processor(async () => 'sent', { ledger: redisLedger(client) })(jobFor(14));
    await warned('SENDONCE_DOCTOR');

    const transporter = smtpTransporter();
    const dispatch = atSend(transporter);
    const send: Send = async ({ data }) => transporter.sendMail(mail(data.to));

    await fail(() => once(send, { ledger, key: () => [], fingerprnt: () => 1 } as never));
    await fail(() => processor(send, { key: () => ['delivery-notice', undefined] })(jobFor(1)));
    await fail(() =>
      processor(async () => {
        throw new NotSentError('The template is missing.');
      })(jobFor(2)),
    );

    await sleepingOwner(async (job) => fail(() => processor(send)(job)), processor);

    smtp.setFault({ at: 'dot-after-accept', how: 'reset' });
    await fail(() => processor(send, { ledger: memoryLedger(), dispatch })(jobFor(4711)));
    smtp.setFault({ at: 'dot-before-accept', how: '5xx' });
    await fail(() => processor(send, { ledger: memoryLedger(), dispatch })(jobFor(4711)));

    const withTotal = (total: number) =>
      processor(async () => 'sent', { fingerprint: () => ({ total }) });
    await withTotal(10)(jobFor(4711));
    await fail(() => withTotal(12)(jobFor(4711, '18')));

    const two: Send = async ({ data }) => {
      await transporter.sendMail(mail(data.to));
      await transporter.sendMail(mail(data.to));
    };
    await fail(() => processor(two, { ledger: memoryLedger(), dispatch })(jobFor(4711)));
    const withoutTo: Send = async () =>
      transporter.sendMail({ ...mail(''), bcc: ['ada@example.org', 'bob@example.org'] });
    await fail(() => processor(withoutTo, { dispatch })(jobFor(5)));
    const noAddress: Send = async () => transporter.sendMail(mail('ada@example.org\r\nBcc: x@y.z'));
    await fail(() => processor(noAddress, { dispatch })(jobFor(6)));

    const skipped: Send = async () => skipEmail('ada@example.org has unsubscribed');
    await fail(() => processor(skipped, { dispatch })(jobFor(7)));
    const large: Send = async () => 'x'.repeat(20_000);
    await processor(large)(jobFor(8));
    await processor(send, { ledger: memoryLedger(), testMode: true })(jobFor(18));
    await processor(async () => {
      const post = () => fetch(`http://127.0.0.1:${closedPort}/v3/smtp/email`, { method: 'POST' });
      await post().catch(() => post().catch(() => {}));
    })(jobFor(19));
    await warned('SENDONCE_REPEATED');
    await fail(async () => {
      const refused: Send = async () => {
        currentClaim()!.report({ verdict: 'refused', note: '429', retryAfterMs: 1000 });
        throw new Error('429');
      };
      const job = fakeJob({ data: jobFor(20).data });
      await processor(refused, { onRefused: 'rate-limit' })(job as never, 'token');
    });
    await warned('SENDONCE_RATE_LIMIT');
    const observable: Send = async () => ({ subscribe() {}, pipe() {} });
    await fail(() => processor(observable)(jobFor(9)));

    const first = processor(async () => 'sent');
    await first(jobFor(4712, '21'));
    await first(jobFor(4712, '22', { data: { orderId: 4712, to: 'bob@example.org' } }));

    let late: Promise<unknown> = Promise.resolve();
    const notAwaited: Send = async () => {
      const claim = currentClaim()!;
      late = sleep(20).then(async () => claim.dispatch());
    };
    await fail(() => processor(notAwaited, { ledger: memoryLedger(), dispatch })(jobFor(10)));
    await fail(() => late);

    const reports: Send = async () => {
      await currentClaim()!.dispatch();
      currentClaim()!.report({ verdict: 'sent', note: 'accepted for ada@example.org' });
    };
    await processor(reports, { dispatch: 'at-send' })(jobFor(11));

    const resend = createTransport(
      resendTransport({ apiKey: 're_1', url: `http://127.0.0.1:${closedPort}` }),
    );
    const byResend: Send = async ({ data }) =>
      resend.sendMail({ ...mail(data.to), subject: 'Delayed' });
    await fail(() => processor(byResend, { dispatch: 'at-send' })(jobFor(12)));

    const refused: Send = async () => {
      currentClaim()!.report({ verdict: 'refused', note: '429', retryAfterMs: 60_000 });
    };
    const worker = { rateLimit: async () => {}, opts: {} };
    const byWorker = jobFor(19, '17', { queue: worker, moveToDelayed: async () => {} });
    const limited = processor(refused, { dispatch: 'at-send', onRefused: 'rate-limit' });
    await limited(byWorker, 'token').catch(() => {});

    const away = new Redis({ port: closedPort, host: '127.0.0.1', maxRetriesPerRequest: null });
    away.on('error', () => {});
    clients.push(away);
    const silent = redisLedger(away, { answerWithinMs: 500 });
    await fail(() => processor(send, { ledger: silent, leaseMs: 3_000 })(jobFor(13)));
    await client.set(`sendonce:{${KEY[0]}}${KEY.slice(1)}`, '2sabcdefghijklmnop1795000000000\n');
    await fail(() => processor(send, { ledger: redisLedger(client) })(jobFor(4711)));
    await client.flushall();
    const closing = connect(redis.port);
    const closes: Send = async () => {
      closing.disconnect();
      if (closing.status !== 'end') await nextEvent(closing, 'end');
    };
    await fail(() => processor(closes, { ledger: redisLedger(closing) })(jobFor(4711)));

    const servers = await Promise.all([1, 2, 3].map(async () => startRedis()));
    stops.push(...servers.map(({ stop }) => stop));
    const nodes = redlockLedger(servers.map(({ port }) => connect(port)));
    await nodes.read(KEY);
    for (const server of servers.slice(1)) await server.kill();
    const gone = clients.slice(-2);
    // Without a message, assert() reads its own source, and does not end on what tsx makes of it.
    await eventually(() =>
      assert(
        gone.every(({ status }) => status !== 'ready'),
        'connected',
      ),
    );
    await fail(() => processor(send, { ledger: nodes, leaseMs: 3_000 })(jobFor(15)));

    const queue = new Queue<Notice>('notices', { connection: client });
    const notices = delayedEmails(queue, {
      ledger,
      key: ({ orderId, to }: Notice) => ['delivery-notice', orderId, to],
    });
    await notices.schedule({ orderId: 4711, to: 'ada@example.org' }, { delay: 3_600_000 });
    const [scheduled] = await queue.getDelayed();
    await fail(() => processor(send)(scheduled as Job<Notice>));
    const ofOther = jobFor(16, '17', { opts: { sendonce: { version: 3, token: 'x' } } });
    await fail(() => processor(send)(ofOther));
    await queue.close();

    const journal = redisJournal(connect(closedPort));
    await processor(async () => 'sent', { journal })(jobFor(17));

    const authorize = () => {
      throw new Error('no session store');
    };
    await dashboard({ ledger, authorize }).fetch(new Request('http://localhost/'));

    const meterProvider = {
      getMeter() {
        throw new Error('exporter');
      },
    };
    sendonceTelemetry({ meterProvider });
    await warned('SENDONCE_JOURNAL');
    await warned('SENDONCE_TELEMETRY');
  } finally {
    process.off('warning', onWarning);
    for (const one of clients) one.disconnect();
    for (const stop of stops) await stop();
  }
  return messages;
}

/** Starts an attempt that holds the claim, and calls back with a copy of its job. */
async function sleepingOwner(
  meanwhile: (job: Job<Notice>) => Promise<void>,
  processor: (send: Send) => (job: Job<Notice>) => Promise<unknown>,
): Promise<void> {
  let finish = () => {};
  const started = new Promise<void>((resolve) => {
    const owner = processor(async () => {
      resolve();
      await new Promise<void>((end) => (finish = end));
    });
    void owner(jobFor(3));
  });
  await started;
  await meanwhile(jobFor(3, '18'));
  finish();
}

function jobFor(orderId: number, id = '17', more: object = {}): Job<Notice> {
  const data = { orderId, to: 'ada@example.org' };
  return { id, queueName: 'notices', name: 'notice', data, ...more } as Job<Notice>;
}

function withoutNumbers(message: string): string {
  return message
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-12-01T03:00:00.000Z')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:6379')
    .replaceAll(/\b5\d{4} ms/g, '60000 ms')
    .replaceAll(/(\n +at [^\n]*)+/g, (stack) => ` …${/\)\. See .*$/.exec(stack)?.[0] ?? ').'}`);
}
