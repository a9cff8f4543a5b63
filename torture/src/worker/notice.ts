import { setTimeout as sleep } from 'node:timers/promises';
import { skipEmail } from '@sendonce/bullmq';
import { resendTransport } from '@sendonce/providers';
import { createTransport } from 'nodemailer';
import { addressOf } from '../email.ts';
import type { WorkerPlan } from '../messages.ts';
import type { NoticeProcessor, Tools } from '../system.ts';

/** The processor that every system wraps, unchanged. It is a careful one: it heeds its signal. */
export function noticeProcessor(
  { timing }: WorkerPlan,
  transporters: Tools['transporters'],
): NoticeProcessor {
  const work = () => sleep(Math.random() * timing.workMs);
  // Per process: a failure that came back for ever would only be the same test again.
  const failed = new Set<number>();
  return async ({ data }, _token, signal) => {
    const { number, route, failsAfterSend, skips } = data;
    await work();
    if (skips && Math.random() < 0.5) return skipEmail('unsubscribed');
    signal?.throwIfAborted();
    const { messageId } = await transporters[route].sendMail({
      from: 'shop@shop.example',
      to: addressOf(number),
      subject: `Your order ${number} is on its way`,
      text: `Your order ${number} has left our warehouse and arrives tomorrow.`,
    });
    await work();
    if (failsAfterSend && !failed.has(number)) {
      failed.add(number);
      throw new Error('The order could not be marked as notified.');
    }
    return { messageId };
  };
}

export function openTransporters(plan: WorkerPlan): Tools['transporters'] {
  const { worker, smtpPort, provider, timing } = plan;
  const { mailTimeoutMs } = timing;
  const smtp = () =>
    createTransport({
      host: '127.0.0.1',
      port: smtpPort,
      ignoreTLS: true,
      connectionTimeout: mailTimeoutMs,
      greetingTimeout: mailTimeoutMs,
      socketTimeout: mailTimeoutMs,
      // Half of the workers keep their connections.
      ...(worker % 2 === 0 && { pool: true, maxConnections: 2 }),
    } as object);
  return {
    'at-send': smtp(),
    'before-processor': smtp(),
    provider: createTransport(resendTransport({ ...provider, answerWithinMs: mailTimeoutMs })),
  };
}
