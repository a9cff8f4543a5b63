import { domainToASCII } from 'node:url';
import type { SendMailOptions } from 'nodemailer';
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
  { envelope: { from: 'shop@example.org', cc: `a@customer.example\n${victim}` } },
  { to: [], envelope: { from: 'shop@example.org', to: [], bcc: `a@customer.example\n${victim}` } },
  { to: undefined, headers: { To: `a@customer.example\n${victim}` } },
  { to: undefined, headers: [{ key: ' bcc', value: `a@customer.example\n${victim}` }] },
] as SendMailOptions[];

/** Texts of which a checker reads another address than nodemailer, in one version or in all. */
const ambiguous = [
  `"${victim} x"@customer.example`,
  `"${victim}"@customer.example`,
  `Ann "${victim} x"@customer.example`,
  `<"${victim} x"@customer.example>`,
  `(${victim})`,
  `(a (b) ${victim}) a@customer.example`,
  `a@customer.example (\\) ${victim} (x)`,
  `a@customer.example ${victim}`,
  `<a@customer.example> ${victim}`,
  `${victim} <a@customer.example> <b@customer.example>`,
  `<a@customer.example <${victim}>`,
  `"Ann <a@customer.example>, ${victim}`,
  `Team: "${victim} x"@customer.example;`,
  `Team: Inner: ${victim};`,
  `a@customer.example@${victim.split('@')[1]!}`,
  'a@[IPv6:::1]',
  'a@customer.example\u200b',
  'a\u202e@customer.example',
  'a@cus\u00adtomer.example',
  'a@customer\u3002example',
  'a@\uff43ustomer.example',
  'a@xn--\u00e4.example',
  'a@xn--a.example',
  '=?utf-8?q?victim=40elsewhere.example=3e?=@customer.example',
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

  it.for(ambiguous)('a text that can be read in two ways is refused: %#', async (text, test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major });
    const mails = [
      { to: text },
      { to: [text] },
      { to: undefined, bcc: text },
      { replyTo: text },
      { to: undefined, headers: { To: text } },
      { envelope: { from: 'shop@example.org', to: text } },
    ];
    for (const mail of mails) {
      const job = newJob();
      const ended = await attempt(job, () => transporter.sendMail(email(mail)));
      expect([codeOf(ended.error), mail]).toEqual(['SENDONCE_ADDRESS', mail]);
      expect(String(ended.error)).not.toMatch(/customer|elsewhere/);
      expect(await recordState(job)).toBe('absent');
    }
    expect(smtp.received).toEqual([]);
  });

  it.for([
    'a,b@customer.example',
    'a b@customer.example',
    `"${victim} x"@customer.example`,
    'a\u200b@customer.example',
    '=?utf-8?q?b=40elsewhere.example=3e?=@customer.example',
  ])(
    'an object with an address that can be read in two ways is refused: %#',
    async (address, test) => {
      const smtp = await smtpServer(test);
      const transporter = transporterTo(test, smtp, { major });
      const job = newJob();
      const mail = email({ to: { name: 'Ann', address } });
      const ended = await attempt(job, () => transporter.sendMail(mail));
      expect(codeOf(ended.error)).toBe('SENDONCE_ADDRESS');
      expect(await recordState(job)).toBe('absent');
      expect(smtp.received).toEqual([]);
    },
  );

  it.for([
    'a@customer.example',
    ' A@Customer.example ',
    'Ann <a@customer.example>',
    '<a@customer.example>',
    '"Smith, Ann" <a@customer.example>',
    `"${victim}" <a@customer.example>`,
    `${victim} <a@customer.example>`,
    '"Ann \\"the\\" Smith" <a@customer.example>',
    'Ann (Sales) <a@customer.example>',
    'a@customer.example (Ann)',
    '[EXT] Ann <a@customer.example>,',
    'Team: Ann <a@customer.example>;',
    'Shop: a@customer.example',
    "o'hara@customer.example",
    'x..y@customer.example',
    'a@exämple.example',
  ])('a text that can be read in one way reaches its address: %s', async (text, test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major });
    const ended = await attempt(newJob(), () => transporter.sendMail(email({ to: text })));
    expect([ended.state, ended.error]).toEqual(['sent', undefined]);
    const [address] = /[^\s<>"]+@(customer|exä)[^\s<>;,]*/i.exec(text)!;
    const [user, domain] = address.split('@');
    const wanted = `${user}@${domainToASCII(domain!)}`;
    // nodemailer 9 and 10 quote `x..y`, which is the same address.
    const received = smtp.received.map(({ to }) => to.map((one) => one.replaceAll('"', '')));
    expect(received).toEqual([[wanted]]);
  });

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
    'ada@[IPv6:2001:db8::1]',
    'ada@xn--exmple-cua.org',
    'root@localhost',
    `${'a'.repeat(64)}@example.org`,
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
    ['x..y@b.example', /dot in the wrong place/],
    ['.x@b.example', /dot in the wrong place/],
    ['x.@b.example', /dot in the wrong place/],
    [`${'a'.repeat(65)}@b.example`, /more than 64/],
    [`${'ä'.repeat(126)}@b.example`, /more than 254/],
    ['a@-', /cannot exist/],
    ['a@-b.example', /cannot exist/],
    ['a@b-.example', /cannot exist/],
    ['a@b..example', /cannot exist/],
    ['a@b.example.', /cannot exist/],
    ['a@.b.example', /cannot exist/],
    ['a@b_c.example', /cannot exist/],
    ['a@192.0.2.1', /cannot exist/],
    [`a@${'b'.repeat(64)}.example`, /cannot exist/],
    [`a@${'ä'.repeat(60)}.example`, /cannot exist|another way/],
    ['a@[192.0.2.999]', /cannot exist/],
    ['a@[::1]', /cannot exist/],
    ['a@\uff42.example', /written in another way/],
    ['a@b\u3002example', /written in another way/],
    ['a@xn--b.example', /written in another way/],
    ['=?utf-8?q?c=40d.example=3e?=@b.example', /encoded word/],
    ...[
      0xad, 0x34f, 0x61c, 0x200b, 0x200d, 0x200e, 0x202e, 0x2060, 0x2066, 0x2069, 0x3164, 0xfe0f,
      0xfeff, 0xfff9, 0xe0061,
    ].flatMap((code): [string, RegExp][] => [
      [`a${String.fromCodePoint(code)}@b.example`, /invisible/],
      [`a@b${String.fromCodePoint(code)}.example`, /invisible/],
    ]),
    ['a\ud800@b.example', /invisible/],
    ['a\u2028@b.example', /invisible/],
  ])('%j is refused, and not shown', (address, message) => {
    expect(() => checkAddress(address)).toThrow(message);
    expect(() => checkAddress(address)).not.toThrow(/b\.example/);
    expect(() => checkAddress(address)).toThrow(
      expect.objectContaining({ code: 'SENDONCE_ADDRESS', mayHaveLeft: 'no', field: 'to' }),
    );
  });
});
