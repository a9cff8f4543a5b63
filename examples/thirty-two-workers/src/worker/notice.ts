import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from 'bullmq';
import type { Transporter } from 'nodemailer';

export interface Notice {
  readonly orderId: string;
  readonly to: string;
}

export type NoticeJob = Job<Notice, Sent | undefined>;

export interface Sent {
  readonly messageId: string;
}

export type NoticeProcessor = (
  job: NoticeJob,
  token?: string,
  signal?: AbortSignal,
) => Promise<Sent | undefined>;

export interface NoticeSteps {
  /** Between rendering and sending: where the demo freezes, blocks and kills. */
  readonly beforeSend: () => Promise<void>;
  /** The line after sendMail(). */
  readonly afterSend: () => Promise<void>;
  /** Sent to the SMTP server in a header, for the picture. */
  readonly worker: number;
}

/** The processor that every guard wraps, unchanged. It is a careful one and respects its signal. */
export function deliveryNotice(
  transporter: Transporter<{ messageId: string }>,
  steps: NoticeSteps,
): NoticeProcessor {
  return async (job, _token, signal) => {
    const text = await render(job.data);
    await steps.beforeSend();
    signal?.throwIfAborted();
    const { messageId } = await transporter.sendMail({
      from: 'shop@example.com',
      to: job.data.to,
      subject: `Your order ${job.data.orderId} is on its way`,
      text,
      headers: { 'X-Worker': String(steps.worker) },
    });
    await steps.afterSend();
    return { messageId };
  };
}

/** Represents the queries and the template of a real email. */
async function render({ orderId }: Notice): Promise<string> {
  await sleep(15);
  return `Your order ${orderId} has left our warehouse and arrives tomorrow.`;
}
