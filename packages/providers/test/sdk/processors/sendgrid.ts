import sgMail from '@sendgrid/mail';
import { sendGridSdk, sendWith } from '../../../src/index.ts';
import type { NoticeJob } from './notice.ts';

type SendGrid = typeof sgMail;

export function connect(url: string, apiKey: string): SendGrid {
  sgMail.setApiKey(apiKey);
  sgMail.setTimeout(1_000);
  // Its types do not show the client.
  const { client } = sgMail as unknown as {
    client: { setDefaultRequest: (...pair: string[]) => void };
  };
  client.setDefaultRequest('baseUrl', `${url}/`);
  return sgMail;
}

// #region before
export const before = (sendGrid: SendGrid) =>
  async function sendNotice({ data }: NoticeJob) {
    const [response] = await sendGrid.send({
      from: 'shop@shop.example',
      to: data.to,
      subject: `Order ${data.orderId} is delayed`,
      text: 'We are sorry.',
    });
    return response.statusCode;
  };
// #endregion

// #region after
export const after = (sendGrid: SendGrid) =>
  async function sendNotice({ data }: NoticeJob) {
    const sent = await sendWith(sendGridSdk, ({ idempotencyKey }) =>
      sendGrid.send({
        from: 'shop@shop.example',
        to: data.to,
        subject: `Order ${data.orderId} is delayed`,
        text: 'We are sorry.',
        customArgs: { sendonce: idempotencyKey },
      }),
    );
    return sent?.[0].statusCode;
  };
// #endregion
