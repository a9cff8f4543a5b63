import { ServerClient } from 'postmark';
import { postmarkSdk, sendWith } from '../../../src/index.ts';
import type { NoticeJob } from './notice.ts';

export const connect = (url: string, apiKey: string) =>
  new ServerClient(apiKey, { requestHost: new URL(url).host, useHttps: false, timeout: 1 });

// #region before
export const before = (postmark: ServerClient) =>
  async function sendNotice({ data }: NoticeJob) {
    return postmark.sendEmail({
      From: 'shop@shop.example',
      To: data.to,
      Subject: `Order ${data.orderId} is delayed`,
      TextBody: 'We are sorry.',
    });
  };
// #endregion

// #region after
export const after = (postmark: ServerClient) =>
  async function sendNotice({ data }: NoticeJob) {
    return sendWith(postmarkSdk, ({ idempotencyKey }) =>
      postmark.sendEmail({
        From: 'shop@shop.example',
        To: data.to,
        Subject: `Order ${data.orderId} is delayed`,
        TextBody: 'We are sorry.',
        Metadata: { sendonce: idempotencyKey },
      }),
    );
  };
// #endregion
