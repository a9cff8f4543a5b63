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

/** Represents the heavy work for which a separate process is used. */
function render({ fails }: Notice, attemptsMade: number): string {
  if (attemptsMade === 0 && fails === 'with any error') throw new Error('No template.');
  // Only this error shows the parent that nothing was sent. After any other one, it cannot know.
  if (attemptsMade === 0 && fails === 'with NotSentError') throw new NotSentError('No template.');
  return 'It left our warehouse a day later than promised.';
}
