import { Resend } from 'resend';
import { resendSdk, sendWith } from '../../../src/index.ts';
import type { NoticeJob } from './notice.ts';

export const connect = (baseUrl: string, apiKey: string) => new Resend(apiKey, { baseUrl });

// #region before
export const before = (resend: Resend) =>
  async function sendNotice({ data }: NoticeJob) {
    const email = {
      from: 'shop@shop.example',
      to: data.to,
      subject: `Order ${data.orderId} is delayed`,
      text: 'We are sorry.',
    };
    const signal = AbortSignal.timeout(1_000);
    const { data: sent, error } = await resend.emails.send(email, { signal });
    if (error) throw error as unknown as Error;
    return sent;
  };
// #endregion

// #region after
export const after = (resend: Resend) =>
  async function sendNotice({ data }: NoticeJob) {
    const email = {
      from: 'shop@shop.example',
      to: data.to,
      subject: `Order ${data.orderId} is delayed`,
      text: 'We are sorry.',
    };
    const signal = AbortSignal.timeout(1_000);
    return sendWith(resendSdk, ({ idempotencyKey }) =>
      resend.emails.send(email, { idempotencyKey, signal }),
    );
  };
// #endregion
