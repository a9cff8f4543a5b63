import { SendEmailCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { BrevoClient } from '@getbrevo/brevo';
import { deriveKey, memoryLedger, type PerformEvent, type PerformOptions } from '@sendonce/core';
import { freePort } from '@sendonce/testkit';
import { brevoDialect } from '@sendonce/testkit/providers/brevo-server';
import type { FaultName } from '@sendonce/testkit/providers/provider-faults';
import { type Dialect, startProviderServer } from '@sendonce/testkit/providers/provider-server';
import { resendDialect } from '@sendonce/testkit/providers/resend-server';
import { sesAccount, sesDialect } from '@sendonce/testkit/providers/ses-server';
import { Resend } from 'resend';
import { describe, expect, it } from 'vitest';
import { attempt, type Test } from '../../../mail/test/helpers.ts';
import {
  brevoSdk,
  classifySdkError,
  fetchCall,
  resendSdk,
  sendWith,
  sesSdk,
} from '../../src/index.ts';
import { sdks } from './sdks.ts';

const notice = { data: { orderId: 17, to: 'customer@customer.example' } };

async function startServer(test: Test, dialect: Dialect, ...faults: (FaultName | undefined)[]) {
  const server = await startProviderServer(dialect);
  test.onTestFinished(() => server.close());
  server.setFault(() => faults.shift());
  return { server, base: server.url.replace(dialect.path, '') };
}

let keys = 0;

async function trySending(send: () => Promise<unknown>, options: Partial<PerformOptions> = {}) {
  const job = { ledger: memoryLedger(), key: deriveKey(['real', keys++]) };
  const { state, error } = await attempt(job, send, options);
  return { state, error: error as Error, record: await job.ledger.read(job.key) };
}

describe('an SDK that repeats requests', () => {
  const brevoOf = (base: string) =>
    new BrevoClient({ apiKey: brevoDialect.apiKey, baseUrl: `${base}/v3`, maxRetries: 1 });
  const email = {
    sender: { email: 'shop@shop.example' },
    to: [{ email: 'customer@customer.example' }],
    subject: 's',
    textContent: 't',
  };

  it('Brevo, accepted and answered by 500, then refused: a doubt, and not sent a third time', async (test) => {
    const { server, base } = await startServer(test, brevoDialect, 'error-after', 'unauthorized');
    const brevo = brevoOf(base);
    const { state, error, record } = await trySending(() =>
      sendWith(brevoSdk, () => brevo.transactionalEmails.sendTransacEmail(email)),
    );
    expect([server.posts, server.accepted.length]).toEqual([2, 1]);
    expect(state).toBe('in-doubt');
    expect(record?.note).toBe('401 repeated');
    expect(String(error)).toMatch(/maxRetries: 0/);
  });

  it('Brevo in the default mode, accepted and answered by 500, then refused: a doubt, and the event', async (test) => {
    const { server, base } = await startServer(test, brevoDialect, 'error-after', 'unauthorized');
    const brevo = brevoOf(base);
    const events: string[] = [];
    const { state } = await trySending(() => brevo.transactionalEmails.sendTransacEmail(email), {
      dispatch: 'before-processor',
      classify: classifySdkError,
      onEvent: ({ type }) => void events.push(type),
    });
    expect([state, server.posts, server.accepted.length]).toEqual(['in-doubt', 2, 1]);
    expect(events).toContain('repeated');
  });

  it('Brevo in the default mode, two emails and "sent": the event "repeated"', async (test) => {
    const { server, base } = await startServer(test, brevoDialect, 'error-after');
    const brevo = brevoOf(base);
    const events: string[] = [];
    const { state } = await trySending(() => brevo.transactionalEmails.sendTransacEmail(email), {
      dispatch: 'before-processor',
      onEvent: ({ type }) => void events.push(type),
    });
    expect([state, server.posts, server.accepted.length]).toEqual(['sent', 2, 2]);
    expect(events.filter((type) => type === 'repeated')).toHaveLength(1);
  });

  it('Brevo with the key: one email, sent', async (test) => {
    const { server, base } = await startServer(test, brevoDialect, 'error-after');
    const brevo = brevoOf(base);
    const { state } = await trySending(() =>
      sendWith(brevoSdk, ({ uuid }) =>
        brevo.transactionalEmails.sendTransacEmail({
          ...email,
          headers: { idempotencyKey: uuid },
        }),
      ),
    );
    expect([state, server.posts, server.accepted.length]).toEqual(['sent', 2, 1]);
  });

  it('SES: two emails, and the event "repeated"', async (test) => {
    const { server, base } = await startServer(test, sesDialect, 'error-after');
    const ses = new SESv2Client({
      region: sesAccount.region,
      endpoint: base,
      credentials: { accessKeyId: sesAccount.accessKeyId, secretAccessKey: sesDialect.apiKey },
    });
    const events: string[] = [];
    const onEvent = ({ type }: PerformEvent) => void events.push(type);
    const { state } = await trySending(
      () =>
        sendWith(sesSdk, () =>
          ses.send(
            new SendEmailCommand({
              FromEmailAddress: 'shop@shop.example',
              Destination: { ToAddresses: ['customer@customer.example'] },
              Content: { Simple: { Subject: { Data: 's' }, Body: { Text: { Data: 't' } } } },
            }),
          ),
        ),
      { onEvent },
    );
    expect([state, server.posts, server.accepted.length]).toEqual(['sent', 2, 2]);
    expect(events).toContain('repeated');
  });
});

describe('no connection', () => {
  it('twenty emails at once, half of them refused: each has its own outcome', async (test) => {
    const { server, base } = await startServer(test, resendDialect);
    const closed = `http://127.0.0.1:${await freePort()}`;
    const states = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const resend = new Resend(resendDialect.apiKey, { baseUrl: index % 2 ? closed : base });
        const { state } = await trySending(() =>
          sendWith(resendSdk, () =>
            resend.emails.send({ from: 'a@b.example', to: 'c@d.example', subject: 's', text: 't' }),
          ),
        );
        return state;
      }),
    );
    expect(states).toEqual(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? 'threw' : 'sent')),
    );
    expect(server.accepted).toHaveLength(10);
  });

  it('a request that left, and one that did not: a doubt', async (test) => {
    const { server, base } = await startServer(test, resendDialect, 'reset-after');
    const closed = `http://127.0.0.1:${await freePort()}`;
    const clients = [base, closed].map((baseUrl) => new Resend(resendDialect.apiKey, { baseUrl }));
    const { state } = await trySending(() =>
      sendWith(resendSdk, async () => {
        const email = { from: 'a@b.example', to: 'c@d.example', subject: 's', text: 't' };
        await clients[0]!.emails.send(email);
        return clients[1]!.emails.send(email);
      }),
    );
    expect([state, server.accepted.length]).toEqual(['in-doubt', 1]);
  });
});

describe('the default mode', () => {
  it('records an email of Resend that was refused as sent, because its SDK does not throw', async (test) => {
    const faults: FaultName[] = ['unauthorized', 'unauthorized'];
    const { server, base } = await startServer(test, resendDialect, ...faults);
    const resend = new Resend(resendDialect.apiKey, { baseUrl: base });
    const email = { from: 'a@b.example', to: 'c@d.example', subject: 's', text: 't' };
    const mode = { dispatch: 'before-processor', classify: classifySdkError } as const;
    const { state } = await trySending(() => resend.emails.send(email), mode);
    expect([state, server.accepted.length]).toEqual(['sent', 0]);
    const throwing = async () => {
      const { error } = await resend.emails.send(email);
      if (error) throw error as unknown as Error;
    };
    expect((await trySending(throwing, mode)).state).toBe('threw');
  });
});

describe('fetchCall', () => {
  const outcomes: readonly (readonly [FaultName | undefined, string])[] = [
    [undefined, 'sent'],
    ['unauthorized', 'threw'],
    ['forbidden', 'threw'],
    ['not-found', 'threw'],
    ['too-many', 'threw'],
    ['unavailable-until', 'threw'],
    ['unprocessable', 'rejected'],
    ['bad-request', 'rejected'],
    ['conflict', 'in-doubt'],
    ['refusal-cut-off', 'in-doubt'],
    ['refusal-not-json', 'in-doubt'],
    ['error-after', 'in-doubt'],
    ['reset-after', 'in-doubt'],
    ['cut-off-after', 'in-doubt'],
    ['not-json-after', 'in-doubt'],
    ['reset-in-answer-after', 'in-doubt'],
    ['hang-after', 'in-doubt'],
  ];

  it.for(outcomes)('%s: %s', async ([fault, wanted], test) => {
    const { server, base } = await startServer(test, resendDialect, fault);
    let text: string | undefined;
    const { state, record } = await trySending(async () => {
      const response = await sendWith(fetchCall, ({ idempotencyKey }) =>
        fetch(`${base}/emails`, {
          method: 'POST',
          headers: { authorization: resendDialect.apiKey, 'idempotency-key': idempotencyKey },
          body: JSON.stringify({ from: 'a', to: 'b', text: 't' }),
          signal: AbortSignal.timeout(500),
        }),
      );
      text = await response?.text();
    });
    expect(state).toBe(wanted);
    expect(server.posts).toBe(1);
    if (wanted !== 'sent') return;
    expect(text).toBe('{"id":"id-1"}');
    expect(record?.messageId).toBe('id-1');
  });

  it.for<[string, string | null, number, string]>([
    ['an empty 204', null, 204, 'sent'],
    ['an empty 202', '', 202, 'sent'],
    ['JSON without an id', '{"queued":true}', 200, 'sent'],
    ['a list', '[]', 200, 'sent'],
    ['an error in a 200', '{"error":"no"}', 200, 'in-doubt'],
    ['a failure in a 200', '{"success":false}', 200, 'in-doubt'],
    ['a redirect', null, 307, 'in-doubt'],
    ['more than a megabyte', JSON.stringify('x'.repeat(1_100_000)), 200, 'in-doubt'],
  ])('%s', async ([, body, status, wanted]) => {
    const answer = async () => new Response(body, { status });
    expect((await trySending(() => sendWith(fetchCall, answer))).state).toBe(wanted);
  });

  it('a body that the call has read already is a doubt', async () => {
    const answer = async () => {
      const response = new Response('{"id":"1"}');
      await response.text();
      return response;
    };
    expect((await trySending(() => sendWith(fetchCall, answer))).state).toBe('in-doubt');
  });
});

describe.for(sdks)('$name, by sendWith()', (sdk) => {
  it('its key or tag reaches the provider, and its id the record', async (test) => {
    const { server, base } = await startServer(test, sdk.dialect);
    const { record } = await trySending(() => sdk.processors(base).after(notice));
    expect(record?.messageId).toContain('id-1');
    const [request] = server.requests;
    const sent = `${request?.raw} ${JSON.stringify(request?.headers)}`;
    const uuid = Buffer.from(record?.key ?? '', 'base64url')
      .toString('hex')
      .slice(-12);
    expect(sent.includes(record?.key ?? '?') || sent.includes(uuid)).toBe(true);
  });

  it('a 503 with Retry-After is refused, where the SDK shows the header', async (test) => {
    const { base } = await startServer(test, sdk.dialect, 'unavailable-until');
    const { state, error } = await trySending(() => sdk.processors(base).after(notice));
    const hidden = ['postmark', 'mailgun.js'].includes(sdk.name);
    expect(state).toBe(hidden ? 'in-doubt' : 'threw');
    if (!hidden) expect(error).toMatchObject({ retryAfterMs: 7000, outcome: 'refused' });
  });
});
