import { describe, expect, it } from 'vitest';
import { checkAddress } from '../src/index.ts';
import {
  attempt,
  codeOf,
  email,
  majors,
  newJob,
  recordState,
  smtpServer,
  transporterTo,
} from './helpers.ts';

const victim = 'victim@elsewhere.example';
const injections = [
  { to: `a@customer.example\r\nBcc: ${victim}` },
  { to: `a@customer.example\nRCPT TO:<${victim}>` },
  { to: [`a@customer.example\r${victim}`] },
  { to: { name: 'Ann', address: `a@customer.example\r\nBcc: ${victim}` } },
  { from: `shop@example.org\r\nBcc: ${victim}` },
  { replyTo: `shop@example.org\nBcc: ${victim}` },
  { envelope: { from: 'shop@example.org', to: `a@customer.example\n${victim}` } },
];

describe.each(majors)('nodemailer %i', (major) => {
  it.for(injections)(
    'a line break in an address is refused, nothing leaves: %#',
    async (fields, test) => {
      const smtp = await smtpServer(test);
      const transporter = transporterTo(test, smtp, { major });
      for (const dispatch of ['at-send', 'before-processor'] as const) {
        const job = newJob();
        const ended = await attempt(job, () => transporter.sendMail(email(fields)), { dispatch });
        expect(codeOf(ended.error)).toBe('SENDONCE_ADDRESS');
        expect(String(ended.error)).not.toContain('customer.example');
        expect(String(ended.error)).not.toContain(victim);
        expect(await recordState(job)).toBe('absent');
      }
      expect(smtp.received).toEqual([]);
    },
  );

  it('without the plugin the email goes to the injected address: why it is refused', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major, plugin: false });
    await transporter.sendMail(email({ to: `a@customer.example\r\nBcc: ${victim}` }));
    expect(smtp.received.map(({ to }) => to)).toEqual([[victim]]);
  });

  it('a line break in a display name or a subject becomes a space, and the email leaves', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major });
    const fields = {
      to: { name: `Ann\r\nBcc: ${victim}`, address: 'a@customer.example' },
      subject: `Hello\r\nBcc: ${victim}`,
    };
    await attempt(newJob(), () => transporter.sendMail(email(fields)), { dispatch: 'at-send' });
    expect(smtp.received.map(({ to }) => to)).toEqual([['a@customer.example']]);
  });
});

describe('checkAddress', () => {
  it.each([
    'ada@example.org',
    'ada+shop.1@mail.example.org',
    "o'hara@example.org",
    'ädä@exämple.org',
    'ada@[192.0.2.1]',
  ])('%s is an address', (address) => {
    checkAddress(address);
  });

  it.each([
    [undefined, /"to" is missing/],
    ['', /"to" is missing/],
    [7, /"to" is missing/],
    ['a@b.example\r\nBcc: c@d.example', /line break or control/],
    ['a@b.example\u0000', /line break or control/],
    [`${'a'.repeat(250)}@b.example`, /more than 254/],
    ['not an address', /not one bare address/],
    ['a@b.example, c@d.example', /not one bare address/],
    ['Ann <a@b.example>', /not one bare address/],
    ['"a b"@example.org', /not one bare address/],
    ['a@b@example.org', /not one bare address/],
    ['a@', /not one bare address/],
  ])('%j is refused, and not shown', (address, message) => {
    expect(() => checkAddress(address)).toThrow(message);
    expect(() => checkAddress(address)).not.toThrow(/b\.example/);
    expect(() => checkAddress(address)).toThrow(
      expect.objectContaining({ code: 'SENDONCE_ADDRESS', mayHaveLeft: 'no', field: 'to' }),
    );
  });
});
