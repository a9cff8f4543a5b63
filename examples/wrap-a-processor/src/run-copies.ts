import { type Servers, startWorkerProcess, untilDone } from '@sendonce/testkit';
import { Queue } from 'bullmq';

export interface Copies {
  /** The worker, `before` or `after`: src/<worker>.ts runs as it is. */
  readonly worker: string;
  readonly processes: number;
  readonly copies: number;
}

export interface Outcome {
  readonly completed: number;
  /** As the mail server counted them. */
  readonly emails: number;
}

/** Adds copies of one delayed job, lets real worker processes work them off, and counts. */
export async function runCopies(
  { worker, processes, copies }: Copies,
  { redisUrl, prefix: start, smtp, onEnd }: Servers,
): Promise<Outcome> {
  const prefix = `${start}-${worker}`;
  const queue = new Queue('notices', { connection: { url: redisUrl }, prefix });
  onEnd(() => queue.close());
  const started = await Promise.all(
    Array.from({ length: processes }, () =>
      startWorkerProcess({
        file: new URL(`./${worker}.ts`, import.meta.url),
        name: worker,
        env: { REDIS_URL: redisUrl, SMTP_URL: smtp.url, PREFIX: prefix },
      }),
    ),
  );
  for (const { close } of started) onEnd(close);
  const early = started.map(async ({ exited, output }): Promise<never> => {
    await exited;
    throw new Error(`A worker ended early:\n${output()}`);
  });

  // Awaited below. A worker that ends earlier must not end this process without the clean-up.
  for (const one of early) one.catch(() => {});

  const earlier = smtp.received.length;
  // Without a job id, like a producer that ran 32 times.
  const job = {
    name: 'notice',
    data: { orderId: 'order-7', to: 'ada@example.com' },
    opts: { delay: 200 },
  };
  await queue.addBulk(Array.from({ length: copies }, () => job));
  const completed = await Promise.race([untilDone(queue, copies), ...early]);
  await Promise.all(started.map(({ close }) => close()));
  return { completed, emails: smtp.received.length - earlier };
}
