import { BrevoClient } from '@getbrevo/brevo';
import { brevoSdk, sendWith } from '../../../src/index.ts';
import type { NoticeJob } from './notice.ts';

export const connect = (url: string, apiKey: string) =>
  new BrevoClient({ apiKey, baseUrl: `${url}/v3`, maxRetries: 0, timeoutInSeconds: 1 });

// #region before
export const before = (brevo: BrevoClient) =>
  async function sendNotice({ data }: NoticeJob): Promise<unknown> {
    return brevo.transactionalEmails.sendTransacEmail({
      sender: { email: 'shop@shop.example' },
      to: [{ email: data.to }],
      subject: `Order ${data.orderId} is delayed`,
      textContent: 'We are sorry.',
    });
  };
// #endregion

// #region after
export const after = (brevo: BrevoClient) =>
  async function sendNotice({ data }: NoticeJob): Promise<unknown> {
    return sendWith(brevoSdk, ({ uuid }) =>
      brevo.transactionalEmails.sendTransacEmail({
        sender: { email: 'shop@shop.example' },
        to: [{ email: data.to }],
        subject: `Order ${data.orderId} is delayed`,
        textContent: 'We are sorry.',
        headers: { idempotencyKey: uuid },
      }),
    );
  };
// #endregion
