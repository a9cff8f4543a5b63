import type { Transporter } from 'nodemailer';

export interface Notice {
  readonly orderId: string;
  readonly to: string;
}

export interface Sent {
  readonly messageId: string;
}

export type Mailer = Transporter<Sent>;

/** What is injected. Tokens, and not types: esbuild emits no decorator metadata. */
export const LEDGER = Symbol('ledger');
export const MAILER = Symbol('mailer');

export async function sendNotice(mailer: Mailer, { orderId, to }: Notice): Promise<Sent> {
  const { messageId } = await mailer.sendMail({
    from: 'shop@example.com',
    to,
    subject: `Your order ${orderId} is late`,
    text: 'It left our warehouse a day later than promised.',
  });
  return { messageId };
}
