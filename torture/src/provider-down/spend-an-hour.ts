import { execFile } from 'node:child_process';
import { createServer, connect, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { once } from '@sendonce/bullmq';
import { redisJournal, redisLedger } from '@sendonce/redis';
import { bundleProgram, deleteNamespace, freePort, namespace } from '@sendonce/testkit';
import { startProviderServer } from '@sendonce/testkit/providers/provider-server';
import { type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { createTransport } from 'nodemailer';
import type { Outage, Setting } from './outages.ts';

export interface Result {
  /** Emails in doubt when the queue was quiet again. */
  readonly doubts: number;
  /** Jobs that had failed then. */
  readonly failed: number;
  /** How many commands the person typed. */
  readonly commands: number;
  /** Emails that the provider accepted once, more than once, and not at all, at the end. */
  readonly once: number;
  readonly twice: number;
  readonly none: number;
}

interface Hour {
  readonly outage: Outage;
  readonly setting: Setting;
  readonly size: { readonly emails: number; readonly hourMs: number };
}

const cli = new URL('../../../packages/cli/src/main.ts', import.meta.url);
const run = promisify(execFile);

export async function spendAnHour(redisUrl: string, hour: Hour): Promise<Result> {
  const { outage, setting, size } = hour;
  const prefix = namespace('hour');
  const client = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const ledger = redisLedger(client, { prefix });
  const journal = redisJournal(client, { prefix });
  const provider = await startProviderServer(setting.dialect);
  const door = await openDoor(new URL(provider.url));
  const { apiKey } = provider;
  const transport = setting.transport({
    apiKey,
    url: provider.url.replace(/:\d+/, `:${door.port}`),
  });
  const transporter = createTransport(transport);
  const queue = new Queue('notices', { connection: client, prefix: `${prefix}:q` });
  const processor = once(
    async ({ data }: Job<{ order: number }>) =>
      transporter.sendMail({
        from: 'shop@shop.example',
        to: `customer-${data.order}@customer.example`,
        subject: `Order ${data.order} is delayed`,
        text: 'We are sorry.',
      }),
    {
      ledger,
      journal,
      key: ({ data }) => ['notice', data.order],
      label: ({ data }) => `order ${data.order}`,
      dispatch: 'at-send',
      ...setting.options(transport),
    },
  );
  const options = { connection: client, prefix: `${prefix}:q`, concurrency: 64 };
  const workers = [1, 2].map(() => new Worker('notices', processor, options));
  try {
    await fail();
    const untilMs = Date.now() + size.hourMs;
    await queue.addBulk(Array.from({ length: size.emails }, (_, order) => jobOf(order, size)));
    await sleep(untilMs - Date.now());
    await recover();
    await untilQuiet(queue);
    const doubts = await countDoubts();
    const failed = await queue.getFailedCount();
    const commands = doubts > 0 ? await resolveAll(doubts) : 0;
    await untilQuiet(queue);
    return { doubts, failed, commands, ...countEmails() };
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
    await queue.close();
    await journal.flush();
    client.disconnect();
    await deleteNamespace(redisUrl, prefix);
    door.close();
    await provider.close();
  }

  async function fail(): Promise<void> {
    if (outage.fault) provider.setFault(() => outage.fault);
    else await door.shut();
  }

  async function recover(): Promise<void> {
    provider.setFault(undefined);
    if (!outage.fault) await door.open();
  }

  async function countDoubts(): Promise<number> {
    let doubts = 0;
    for await (const _ of ledger.list({ state: 'in-doubt' })) doubts++;
    return doubts;
  }

  /** What the person types. */
  async function resolveAll(doubts: number): Promise<number> {
    const where = ['--redis', redisUrl, '--prefix', prefix, '--queue-prefix', `${prefix}:q`];
    const verdict = [`--${outage.verdict}`, '--why', 'the log of the provider'];
    const args = ['resolve', '--all', ...verdict, '--retry', '--yes', String(doubts), ...where];
    if (outage.verdict === 'sent') args.splice(args.indexOf('--retry'), 1);
    await run(process.execPath, [await bundleProgram(cli), ...args], { maxBuffer: 2 ** 26 });
    return 1;
  }

  function countEmails(): Pick<Result, 'once' | 'twice' | 'none'> {
    const found = Array.from({ length: size.emails }, (_, order) => {
      const address = `customer-${order}@customer.example`;
      return provider.accepted.filter(({ raw }) => raw.includes(address)).length;
    });
    const count = (is: (emails: number) => boolean) => found.filter(is).length;
    return {
      once: count((emails) => emails === 1),
      twice: count((emails) => emails > 1),
      none: count((emails) => emails === 0),
    };
  }
}

/** Due in the first two thirds of the hour, and tried again after 1, 2, 4, … of its minutes. */
function jobOf(order: number, { emails, hourMs }: Hour['size']) {
  const backoff = { type: 'exponential', delay: Math.ceil(hourMs / 60) };
  const delay = Math.floor((order / emails) * hourMs * (2 / 3));
  return { name: 'notice', data: { order }, opts: { delay, attempts: 8, backoff } };
}

async function untilQuiet(queue: Queue): Promise<void> {
  for (;;) {
    const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
    if (Object.values(counts).every((count) => count === 0)) return;
    await sleep(100);
  }
}

/** A port in front of the provider that can be shut: then no one listens. */
async function openDoor(target: URL) {
  const port = await freePort();
  const listen = (server: Server) =>
    new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
  const make = () =>
    createServer((incoming) => {
      const outgoing = connect(Number(target.port), '127.0.0.1');
      incoming.on('error', () => outgoing.destroy());
      outgoing.on('error', () => incoming.destroy());
      incoming.pipe(outgoing).pipe(incoming);
    });
  let server = make();
  await listen(server);
  return {
    port,
    shut: () => new Promise<void>((resolve) => void server.close(() => resolve())),
    open: () => listen((server = make())),
    close: () => void server.close(),
  };
}
