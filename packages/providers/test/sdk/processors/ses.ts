import { SendEmailCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { sesAccount } from '@sendonce/testkit/providers/ses-server';
import { sendWith, sesSdk } from '../../../src/index.ts';
import type { NoticeJob } from './notice.ts';

export const connect = (endpoint: string, secretAccessKey: string) =>
  new SESv2Client({
    region: sesAccount.region,
    endpoint,
    maxAttempts: 1,
    credentials: { accessKeyId: sesAccount.accessKeyId, secretAccessKey },
    requestHandler: { requestTimeout: 1_000, throwOnRequestTimeout: true },
  });

// #region before
export const before = (ses: SESv2Client) =>
  async function sendNotice({ data }: NoticeJob) {
    return ses.send(
      new SendEmailCommand({
        FromEmailAddress: 'shop@shop.example',
        Destination: { ToAddresses: [data.to] },
        Content: {
          Simple: {
            Subject: { Data: `Order ${data.orderId} is delayed` },
            Body: { Text: { Data: 'We are sorry.' } },
          },
        },
      }),
    );
  };
// #endregion

// #region after
export const after = (ses: SESv2Client) =>
  async function sendNotice({ data }: NoticeJob) {
    return sendWith(sesSdk, ({ idempotencyKey }) =>
      ses.send(
        new SendEmailCommand({
          FromEmailAddress: 'shop@shop.example',
          Destination: { ToAddresses: [data.to] },
          Content: {
            Simple: {
              Subject: { Data: `Order ${data.orderId} is delayed` },
              Body: { Text: { Data: 'We are sorry.' } },
            },
          },
          EmailTags: [{ Name: 'sendonce', Value: idempotencyKey }],
        }),
      ),
    );
  };
// #endregion
