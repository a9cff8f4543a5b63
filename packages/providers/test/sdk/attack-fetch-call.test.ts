import { deriveKey, memoryLedger } from '@sendonce/core';
import { expect, it } from 'vitest';
import { attempt } from '../../../mail/test/helpers.ts';
import { fetchCall, sendWith } from '../../src/index.ts';

const answers = {
  // https://mailchimp.com/developer/transactional/api/messages/send-new-message/
  Mandrill: [
    { email: 'ada@example.org', status: 'rejected', reject_reason: 'hard-bounce', _id: 'x' },
  ],
  'Mandrill, invalid': [{ email: 'ada@example.org', status: 'invalid', _id: 'x' }],
  // https://developers.smtp2go.com/reference/send-standard-email
  SMTP2GO: { request_id: 'x', data: { succeeded: 0, failed: 1, failures: ['x'], email_id: 'y' } },
  // https://dev.mailjet.com/email/guides/send-api-v31/
  Mailjet: { Messages: [{ Status: 'error', Errors: [{ ErrorCode: 'mj-0013', StatusCode: 400 }] }] },
  'a status': { status: 'error', message: 'no such sender' },
};

it.each(Object.entries(answers))(
  '%s says with 200 that it did not take the email',
  async (name, json) => {
    const job = { ledger: memoryLedger(), key: deriveKey(['fetch', name]) };
    const { state } = await attempt(job, () =>
      sendWith(fetchCall, async () => Response.json(json)),
    );
    expect(state).not.toBe('sent');
  },
);

const taken = {
  Mandrill: [{ email: 'ada@example.org', status: 'queued', reject_reason: null, _id: 'x' }],
  SMTP2GO: { request_id: 'x', data: { succeeded: 1, failed: 0, failures: [], email_id: 'y' } },
  Mailjet: { Messages: [{ Status: 'success', To: [{ MessageID: 1 }] }] },
  ZeptoMail: {
    data: [{ code: 'EM_104', additional_info: [], message: 'Email request received' }],
    message: 'OK',
  },
};

it.each(Object.entries(taken))('%s takes it', async (name, json) => {
  const job = { ledger: memoryLedger(), key: deriveKey(['fetch, taken', name]) };
  const { state } = await attempt(job, () => sendWith(fetchCall, async () => Response.json(json)));
  expect(state).toBe('sent');
});

it('Postmark takes the archive and not the To: a person sees it', async () => {
  const { postmarkSdk } = await import('../../src/index.ts');
  const job = { ledger: memoryLedger(), key: deriveKey(['postmark, partly']) };
  const { state } = await attempt(job, () =>
    sendWith(postmarkSdk, async () => ({
      ErrorCode: 0,
      MessageID: 'id-1',
      Message: 'Message OK, but will not deliver to these inactive addresses: ada@example.org.',
    })),
  );
  const record = await job.ledger.read(job.key);
  expect([state, record?.note]).not.toEqual(['sent', undefined]);
});
