import type { PerformEvent } from '@sendonce/core';
import type { SendMailOptions } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { attempt, codeOf, email, majors, newJob, recordState } from '../../mail/test/helpers.ts';
import { providerNamed, providers, setUp, trySend } from './helpers.ts';

const to = 'customer@customer.example';
const cc = 'sales@shop.example';
const bcc = 'archive@archive.example';
const copies = { cc: { name: 'Sales', address: cc }, bcc };

/** What each API has in place of To, Cc and Bcc, by hand from its documentation. */
const bodies: Readonly<Record<string, object>> = {
  Brevo: { to: [{ email: to }], cc: [{ email: cc, name: 'Sales' }], bcc: [{ email: bcc }] },
  Resend: { to: [to], cc: [`Sales <${cc}>`], bcc: [bcc] },
  SparkPost: {
    recipients: [to, cc, bcc].map((one) => ({ address: { email: one, header_to: to } })),
    content: { headers: { CC: `Sales <${cc}>` } },
  },
  Lettermint: { to: [to], cc: [`Sales <${cc}>`], bcc: [bcc] },
  AhaSend: { to: [{ email: to }], cc: [{ email: cc, name: 'Sales' }], bcc: [{ email: bcc }] },
  Postmark: { To: to, Cc: `Sales <${cc}>`, Bcc: bcc },
  SendGrid: {
    personalizations: [
      { to: [{ email: to }], cc: [{ email: cc, name: 'Sales' }], bcc: [{ email: bcc }] },
    ],
  },
  Azure: {
    recipients: {
      to: [{ address: to }],
      cc: [{ address: cc, displayName: 'Sales' }],
      bcc: [{ address: bcc }],
    },
  },
  SES: {
    Destination: { ToAddresses: [to], CcAddresses: [`Sales <${cc}>`], BccAddresses: [bcc] },
  },
};
const carriers = providers.filter(({ name }) => name in bodies);

const withoutCopies = ['Loops', 'Plunk'];

it('every provider is in the table, or has no copies', () => {
  const names = providers.map(({ name }) => name).filter((name) => !(name in bodies));
  expect(names).toEqual(withoutCopies);
});

describe.for(carriers)('$name: To, Cc and Bcc are one email', (provider) => {
  const { name } = provider;

  it('32 copies at once make one request, with the fields of the API', async (test) => {
    const { server, transporter } = await setUp(test, provider, { plugin: true });
    const job = newJob();
    const send = () => transporter.sendMail(email(copies));
    const all = await Promise.all(Array.from({ length: 32 }, () => attempt(job, send)));
    expect(all.filter(({ state }) => state === 'sent')).toHaveLength(1);
    expect(server.posts).toBe(1);
    expect(server.accepted[0]?.body).toMatchObject(bodies[name]!);
    expect(await recordState(job)).toBe('sent');
  });

  it('every nodemailer gives it the same request, without repeated addresses', async (test) => {
    const raws = new Set<string>();
    for (const major of majors) {
      const { server, transporter } = await setUp(test, provider, { major });
      const mail = { to: [to, to], cc: [copies.cc, to], bcc: [bcc, to, cc] };
      await transporter.sendMail(email(mail));
      raws.add(server.requests[0]!.raw);
      expect(server.requests[0]?.body).toMatchObject(bodies[name]!);
    }
    expect(raws.size).toBe(1);
  });

  it('a hundred recipients are one request', async (test) => {
    const { server, transporter } = await setUp(test, provider);
    const hundred = Array.from({ length: 99 }, (_, index) => `copy${index}@shop.example`);
    const { state } = await attempt(newJob(), () => transporter.sendMail(email({ bcc: hundred })));
    expect(state).toBe('sent');
    expect(server.posts).toBe(1);
    for (const one of hundred) expect(server.requests[0]?.raw).toContain(one);
  });

  it.for(['error-after', 'reset-in-body', 'not-json-after'] as const)(
    'after %s it is in doubt, and no copy is sent again',
    async (fault, test) => {
      const setup = await setUp(test, provider);
      setup.server.setFault(fault);
      const { state, job } = await trySend(setup, { mail: copies });
      expect(state).toBe('in-doubt');
      const { posts } = setup.server;
      const retry = await attempt(job, () => setup.transporter.sendMail(email(copies)));
      expect(retry.state).toBe('in-doubt');
      expect(setup.server.posts).toBe(posts);
    },
  );

  it.for<SendMailOptions>([
    { cc: `${cc}\r\nBcc: b@evil.example` },
    { bcc: `${bcc}\nx@evil.example` },
    { bcc: [bcc, 'a b@evil.example'] },
    { cc: { name: 'x', address: `${cc}\r\nTo: b@evil.example` } },
  ])('an address that can be read in two ways is refused: %j', async (mail, test) => {
    const setup = await setUp(test, provider, { plugin: true });
    const { error, job } = await trySend(setup, { mail });
    expect(codeOf(error)).toBe('SENDONCE_ADDRESS');
    expect(await recordState(job)).toBe('absent');
    expect(setup.server.posts).toBe(0);
  });
});

it('SparkPost: several To are the same header for all, and names are encoded', async (test) => {
  const { server, transporter } = await setUp(test, providerNamed('SparkPost'));
  const mail = { to: [{ name: 'Ädä', address: to }, 'b@customer.example'] };
  await transporter.sendMail(email(mail));
  const headerTo = `=?UTF-8?B?w4Rkw6Q=?= <${to}>, b@customer.example`;
  expect(server.requests[0]?.body).toMatchObject({
    recipients: [to, 'b@customer.example'].map((one) => ({
      address: { email: one, header_to: headerTo },
    })),
  });
});

it('SparkPost: a name with "{{" is refused, because it becomes a header', async (test) => {
  const setup = await setUp(test, providerNamed('SparkPost'));
  const { error } = await trySend(setup, {
    mail: { cc: { name: '{{name}}', address: cc } },
  });
  expect(String(error)).toContain('"{{"');
  expect(setup.server.posts).toBe(0);
});

it.for(withoutCopies)(
  '%s has no Cc and no Bcc: they are refused, not dropped',
  async (name, test) => {
    const setup = await setUp(test, providerNamed(name), { plugin: true });
    const { state, error, job } = await trySend(setup, { mail: copies });
    expect(state).toBe('threw');
    expect(String(error)).toContain('several recipients');
    expect(await recordState(job)).toBe('absent');
    expect(setup.server.posts).toBe(0);
  },
);

describe('an answer that refuses some of the recipients', () => {
  const ahaSend = (...statuses: [address: string, status: string][]) => ({
    object: 'list',
    data: statuses.map(([address, status]) => ({
      object: 'message',
      id: status === 'error' ? null : 'a1',
      recipient: { email: address },
      status,
    })),
  });
  const postmark = (inactive: string) => ({
    ErrorCode: 0,
    MessageID: 'p1',
    Message: `Message OK, but will not deliver to these inactive addresses: ${inactive}`,
  });
  const sparkPost = (taken: number, refused: number) => ({
    results: { total_accepted_recipients: taken, total_rejected_recipients: refused, id: 's1' },
  });
  const rows = [
    {
      provider: 'AhaSend',
      body: ahaSend([to, 'queued'], [cc, 'queued'], [bcc, 'error']),
      state: 'sent',
      note: 'refused: bcc without a code',
    },
    {
      provider: 'AhaSend',
      body: ahaSend([to, 'error'], [cc, 'queued'], [bcc, 'queued']),
      state: 'in-doubt',
      note: '200 to_refused',
    },
    {
      provider: 'AhaSend',
      body: ahaSend([to, 'error'], [cc, 'error'], [bcc, 'error']),
      state: 'rejected',
      note: '200 recipient_rejected',
    },
    {
      provider: 'Postmark',
      body: postmark(`${cc}, ${bcc}. Inactive recipients are ones that have bounced.`),
      state: 'sent',
      note: 'refused: cc inactive, bcc inactive',
    },
    {
      provider: 'Postmark',
      body: postmark(`${to}.`),
      state: 'in-doubt',
      note: '200 to_refused',
    },
    {
      provider: 'SparkPost',
      body: sparkPost(2, 1),
      state: 'in-doubt',
      note: '200 some_recipients_rejected',
    },
    { provider: 'SparkPost', body: sparkPost(3, 0), state: 'sent', note: undefined },
  ];
  it.for(rows)('$provider: $state, $note', async ({ provider, body, state, note }, test) => {
    const fetch = async () => new Response(JSON.stringify(body), { status: 200 });
    const { transporter } = await setUp(test, providerNamed(provider), { fetch });
    const job = newJob();
    const events: PerformEvent[] = [];
    const send = async () => void (await transporter.sendMail(email(copies)));
    const onEvent = (event: PerformEvent) => void events.push(event);
    const ended = await attempt(job, send, { onEvent });
    expect(ended.state).toBe(state);
    const record = await job.ledger.read(job.key);
    expect(record?.note).toBe(note);
    expect(JSON.stringify([record, events]) + String(ended.error)).not.toMatch(
      /customer@|sales@|archive@/,
    );
    const partly = events.some(({ type }) => type === 'partly-refused');
    expect(partly).toBe(state === 'sent' && note !== undefined);
  });
});
