import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { NestFactory } from '@nestjs/core';
import { redisLedger } from '@sendonce/redis';
import { type Servers, untilDone } from '@sendonce/testkit';
import { type Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { AppModule } from './app.module.ts';
import { guardedWorker } from './guarded-worker.ts';
import { NoticesProcessor } from './notices.processor.ts';
import { OnceNoticesProcessor } from './once-notices.processor.ts';

export type Guard = 'none' | 'decorator' | 'worker class';

export interface Outcome {
  readonly completed: number;
  /** As the mail server counted them. */
  readonly emails: number;
}

/** Starts an application, adds copies of one delayed job to its queue, and counts. */
export async function runApp(guard: Guard, copies: number, servers: Servers): Promise<Outcome> {
  const { redisUrl, smtp, onEnd } = servers;
  const prefix = `${servers.prefix}-${guard.replace(' ', '-')}`;
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  onEnd(async () => redis.disconnect());
  const ledger = redisLedger(redis, { prefix });

  // Before the application is made: Nest makes its workers while it starts.
  BullModule.workerClass =
    guard === 'worker class'
      ? guardedWorker({
          ledger,
          key: ({ queueName, data }) => [queueName, data.orderId, data.to],
          dispatch: 'at-send',
        })
      : Worker;
  const processor = guard === 'decorator' ? OnceNoticesProcessor : NoticesProcessor;
  const app = await NestFactory.createApplicationContext(
    AppModule.with({ redis, prefix, ledger, smtpUrl: smtp.url, processor }),
    { logger: ['error', 'warn'] },
  );
  onEnd(() => app.close());

  const earlier = smtp.received.length;
  const queue = app.get<Queue>(getQueueToken('notices'));
  const data = { orderId: 'order-7', to: 'ada@example.com' };
  const job = { name: 'notice', data, opts: { delay: 200 } };
  await queue.addBulk(Array.from({ length: copies }, () => job));
  const completed = await untilDone(queue, copies);
  await app.close();
  return { completed, emails: smtp.received.length - earlier };
}
