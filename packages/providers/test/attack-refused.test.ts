import { deriveKey, memoryLedger } from '@sendonce/core';
import { createTransport } from 'nodemailer';
import { expect, it } from 'vitest';
import { attempt } from '../../mail/test/helpers.ts';
import { ahaSendTransport, postmarkTransport } from '../src/index.ts';

const answering = (json: object) => async () =>
  new Response(JSON.stringify(json), {
    status: 200,
    headers: { 'content-type': 'application/json' },
  });
const email = {
  from: 'shop@example.com',
  to: 'ada@münchen.example',
  bcc: 'archive@example.com',
  subject: 's',
  html: 'x',
};

it.each([
  [
    'AhaSend',
    ahaSendTransport({
      apiKey: 'k',
      accountId: '00000000-0000-0000-0000-000000000000',
      fetch: answering({
        data: [
          { id: 'id-1', status: 'queued', recipient: { email: 'archive@example.com' } },
          { id: null, status: 'error', recipient: { email: 'ada@münchen.example' } },
        ],
      }),
    }),
  ],
  [
    'Postmark',
    postmarkTransport({
      apiKey: 'k',
      fetch: answering({
        ErrorCode: 0,
        MessageID: 'id-1',
        Message:
          'Message OK, but will not deliver to these inactive addresses: ada@münchen.example.',
      }),
    }),
  ],
])(
  '%s names a refused To in another form of its domain: it is not simply "sent"',
  async (_, transport) => {
    const job = { ledger: memoryLedger(), key: deriveKey(['refused', _]) };
    const { state } = await attempt(job, () => createTransport(transport).sendMail(email) as never);
    const record = await job.ledger.read(job.key);
    expect([state, record?.note]).not.toEqual(['sent', undefined]);
  },
);
