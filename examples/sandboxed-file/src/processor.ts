import { NotSentError } from '@sendonce/bullmq';
import type { SandboxedJob } from 'bullmq';
import { createTransport } from 'nodemailer';

export interface Notice {
  readonly orderId: string;
  readonly to: string;
  /** What goes wrong in the first attempt, before the email. */
  readonly fails?: 'with any error' | 'with NotSentError';
}

const transporter = createTransport(process.env['SMTP_URL'] ?? 'smtp://127.0.0.1:1025');

// BullMQ loads a processor file by its default export.
export default async function sendNotice({ data, attemptsMade }: SandboxedJob<Notice>) {
  const text = render(data, attemptsMade);
  const { messageId } = await transporter.sendMail({
    from: 'shop@example.com',
    to: data.to,
    subject: `Your order ${data.orderId} is late`,
    text,
  });
  return { messageId };
}

/** Stands for the heavy work for which somebody takes a process of its own. */
function render({ fails }: Notice, attemptsMade: number): string {
  if (attemptsMade === 0 && fails === 'with any error') throw new Error('No template.');
  // The only word that the parent believes: without it, the email may have left for all it knows.
  if (attemptsMade === 0 && fails === 'with NotSentError') throw new NotSentError('No template.');
  return 'It left our warehouse a day later than promised.';
}
