import { createHash, generateKeyPairSync } from 'node:crypto';
import { Readable } from 'node:stream';
import type { SendMailOptions } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { dispatchAtSend } from '../src/index.ts';
import { attempt, email, type Job, majors, newJob, smtpServer, transporterTo } from './helpers.ts';

const emailDateMs = Date.UTC(2026, 1, 3, 4, 5, 6);
const idOf = ({ key }: Job) => Buffer.from(key, 'base64url').toString('hex');

function richEmail(more: SendMailOptions = {}): SendMailOptions {
  return email({
    html: '<p>Your parcel is on its way. <img src=cid:logo></p>',
    attachments: [
      { filename: 'logo.png', content: Buffer.alloc(3000, 7), cid: 'logo' },
      { filename: 'invoice.pdf', content: Readable.from([Buffer.alloc(5000, 8)]) },
    ],
    ...more,
  });
}

describe.for(majors)('with nodemailer %i', (major) => {
  it('two attempts of one email are the same bytes', async (test) => {
    const smtp = await smtpServer(test);
    const job = newJob();
    for (let index = 0; index < 2; index++) {
      const transporter = transporterTo(test, smtp, { major });
      // A ledger that has forgotten, so that both leave.
      const again = { ...newJob(), key: job.key };
      const ended = await attempt(again, () => transporter.sendMail(richEmail()), { emailDateMs });
      expect(ended.state).toBe('sent');
    }
    const [first, second] = smtp.received;
    expect(first?.raw).toContain('multipart/');
    expect(first?.raw).toBe(second?.raw);
    expect(first?.messageId).toBe(`<${idOf(job)}@shop.example>`);
    expect(first?.date).toBe('Tue, 03 Feb 2026 04:05:06 +0000');
  });

  it.for(['one part', 'several parts'] as const)(
    'the first and the third attempt of a transporter are the same bytes: %s',
    async (parts, test) => {
      const smtp = await smtpServer(test);
      const transporter = transporterTo(test, smtp, { major });
      const job = newJob();
      for (let index = 0; index < 3; index++) {
        const again = { ...newJob(), key: job.key };
        const message = parts === 'one part' ? email() : richEmail();
        const ended = await attempt(again, () => transporter.sendMail(message), { emailDateMs });
        expect(ended.state).toBe('sent');
      }
      const [first, ...more] = smtp.received.map(({ raw }) => raw);
      expect(first).toContain(`Message-ID: <${idOf(job)}@shop.example>`);
      expect(more).toEqual([first, first]);
    },
  );

  it('a plugin of the user that asks for a Message-ID and a boundary finds none, and sets both', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major });
    const found: unknown[] = [];
    transporter.use('compile', ({ data }, done) => {
      const fields = data as SendMailOptions & { baseBoundary?: string };
      found.push(fields.messageId, fields.baseBoundary);
      fields.messageId ??= '<plugin@shop.example>';
      fields.baseBoundary ??= 'plugin';
      done();
    });
    for (let index = 0; index < 2; index++) {
      await attempt(newJob(), () => transporter.sendMail(richEmail()), { emailDateMs });
      expect(smtp.received.at(-1)?.messageId).toBe('<plugin@shop.example>');
      expect(smtp.received.at(-1)?.raw).toMatch(/boundary="[^"]*-plugin-Part_1"/);
    }
    expect(found).toEqual(Array(4).fill(undefined));
  });

  it('a later email without a claim has a Message-ID of nodemailer', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major });
    await attempt(newJob(), () => transporter.sendMail(email()), { emailDateMs });
    await transporter.sendMail(email());
    expect(smtp.received.at(-1)?.messageId).toMatch(/^<[\da-f]{8}-[\da-f-]+@shop\.example>$/);
  });

  it('of two copies of the plugin, the Message-ID and boundaries are stable as well', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major });
    transporter.use('stream', dispatchAtSend());
    const job = newJob();
    for (let index = 0; index < 2; index++) {
      const again = { ...newJob(), key: job.key };
      await attempt(again, () => transporter.sendMail(richEmail()), { emailDateMs });
    }
    expect(smtp.received[1]?.raw).toBe(smtp.received[0]?.raw);
  });

  it("a Message-ID and a Date of the user's own stay", async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major });
    const own: SendMailOptions[] = [
      { messageId: '<mine@shop.example>', date: new Date(0) },
      { headers: { 'message-ID': '<mine@shop.example>', date: 'Thu, 01 Jan 1970 00:00:00 +0000' } },
      {
        headers: [
          { key: 'Message-Id', value: '<mine@shop.example>' },
          { key: 'Date', value: 'Thu, 01 Jan 1970 00:00:00 +0000' },
        ],
      },
    ];
    for (const fields of own) {
      await attempt(newJob(), () => transporter.sendMail(email(fields)), { emailDateMs });
      expect(smtp.received.at(-1)?.messageId).toBe('<mine@shop.example>');
      expect(smtp.received.at(-1)?.date).toBe('Thu, 01 Jan 1970 00:00:00 +0000');
    }
    expect(smtp.received).toHaveLength(3);
  });

  it("a boundary of the user's own stays", async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major });
    for (let index = 0; index < 2; index++) {
      const own = richEmail({ baseBoundary: 'mine' });
      await attempt(newJob(), () => transporter.sendMail(own), { emailDateMs });
      expect(smtp.received.at(-1)?.raw).toMatch(/boundary="[^"]*-mine-Part_1"/);
    }
  });

  it('a DKIM signature covers what arrives', async (test) => {
    const smtp = await smtpServer(test);
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const dkim = { domainName: 'shop.example', keySelector: 'one', privateKey };
    const transporter = transporterTo(test, smtp, { major, transport: { dkim } });
    const job = newJob();
    const ended = await attempt(job, () => transporter.sendMail(richEmail()), { emailDateMs });
    expect(ended.state).toBe('sent');

    const [received] = smtp.received;
    const signature = (received?.headers['dkim-signature'] ?? '').replace(/\s/g, '');
    const body = (received?.raw ?? '').split('\r\n\r\n').slice(1).join('\r\n\r\n');
    const canonical = body
      .replace(/[ \t]+/g, ' ')
      .replace(/ ?(\r\n)/g, '$1')
      .replace(/(\r\n)*$/, '\r\n');
    const bodyHash = createHash('sha256').update(canonical, 'latin1').digest('base64');
    expect(signature).toContain(`bh=${bodyHash};`);
    expect(signature.toLowerCase()).toContain('message-id');
    expect(received?.messageId).toBe(`<${idOf(job)}@shop.example>`);
  });

  it('a raw message is sent as it is', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major });
    const raw = 'Message-ID: <raw@shop.example>\r\nSubject: raw\r\n\r\nraw\r\n';
    const envelope = { from: 'shop@shop.example', to: ['customer@customer.example'] };
    const ended = await attempt(newJob(), () => transporter.sendMail({ envelope, raw }));
    expect(ended.state).toBe('sent');
    expect(smtp.received.map((received) => received.raw)).toEqual([raw]);
  });
});

describe('the domain of the Message-ID', () => {
  const cases: [string, SendMailOptions, string | undefined, string][] = [
    ['is that of the From address', { from: 'Shop <a@Shop.Example>' }, undefined, 'shop.example'],
    ['is in its ASCII form', { from: 'a@bücher.example' }, undefined, 'xn--bcher-kva.example'],
    ['is the option', {}, 'mail.example', 'mail.example'],
    ['is invalid where there is none', { from: 'a@[127.0.0.1]' }, undefined, 'sendonce.invalid'],
  ];
  it.for(cases)('%s', async ([, fields, messageIdDomain, expected], test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { ...(messageIdDomain && { messageIdDomain }) });
    const job = newJob();
    await attempt(job, () => transporter.sendMail(email(fields)));
    expect(smtp.received[0]?.messageId).toBe(`<${idOf(job)}@${expected}>`);
  });
});

describe('the MIME boundary', () => {
  it('cannot be known to who knows the key and not the whole content', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp);
    const job = newJob();
    const boundaries: unknown[] = [];
    for (const text of ['one', 'two']) {
      const again = { ...newJob(), key: job.key };
      await attempt(again, () => transporter.sendMail(richEmail({ text })), { emailDateMs });
      boundaries.push(/boundary="([^"]+)"/.exec(smtp.received.at(-1)?.raw ?? '')?.[1]);
    }
    expect(boundaries[0]).toBeTypeOf('string');
    expect(boundaries[0]).not.toBe(boundaries[1]);
  });
});
