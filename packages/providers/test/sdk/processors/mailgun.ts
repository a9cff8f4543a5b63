import Mailgun from 'mailgun.js';
import { mailgunSdk, sendWith } from '../../../src/index.ts';
import type { NoticeJob } from './notice.ts';

type MailgunClient = ReturnType<InstanceType<typeof Mailgun>['client']>;

export const connect = (url: string, key: string): MailgunClient =>
  new Mailgun(FormData).client({ username: 'api', key, url, timeout: 1_000 });

// #region before
export const before = (mailgun: MailgunClient) =>
  async function sendNotice({ data }: NoticeJob): Promise<unknown> {
    return mailgun.messages.create('shop.example', {
      from: 'shop@shop.example',
      to: [data.to],
      subject: `Order ${data.orderId} is delayed`,
      text: 'We are sorry.',
    });
  };
// #endregion

// #region after
export const after = (mailgun: MailgunClient) =>
  async function sendNotice({ data }: NoticeJob): Promise<unknown> {
    return sendWith(mailgunSdk, ({ idempotencyKey }) =>
      mailgun.messages.create('shop.example', {
        from: 'shop@shop.example',
        to: [data.to],
        subject: `Order ${data.orderId} is delayed`,
        text: 'We are sorry.',
        'v:sendonce': idempotencyKey,
      }),
    );
  };
// #endregion
