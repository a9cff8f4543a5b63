import { deriveKey } from '@sendonce/core';
import type { SendMailOptions } from 'nodemailer';
import type { SendMailOptions as SendMailOptions6 } from 'types-nodemailer6';
import type { SendMailOptions as SendMailOptions8 } from 'types-nodemailer8';
import { describe, expect, it } from 'vitest';
import { loopsTransport, type TemplateMessage } from '../src/index.ts';
import {
  attempt,
  codeOf,
  majors,
  newJob,
  recordState,
  type Test,
} from '../../mail/test/helpers.ts';
import { type ProviderCase, providerNamed, providers, setUp, type Setup } from './helpers.ts';
import {
  fullTemplateEmail,
  templateCases,
  type TemplateEmail,
  templateEmail,
} from './template-cases.ts';

const key = deriveKey(['an email that is always the same']);
const named = (name: string): ProviderCase => ({ ...providerNamed(name), htmlOnly: false });
const withTemplates = Object.keys(templateCases).map(named);
const others = providers.filter(({ name }) => !(name in templateCases));

async function send({ transporter }: Setup, mail: TemplateEmail, job = newJob()) {
  const { state, error } = await attempt(job, () => transporter.sendMail(mail));
  return { state, error, job };
}

/** Sends an email that must be refused before any request, and returns the error. */
async function refused(test: Test, provider: ProviderCase, mail: object): Promise<string> {
  const setup = await setUp(test, provider);
  const { state, error, job } = await send(setup, mail);
  expect([state, codeOf(error)]).toEqual(['threw', 'SENDONCE_PROVIDER']);
  expect(error).toMatchObject({ outcome: 'not-sent', mayHaveLeft: 'no' });
  expect(String(error)).toMatch(/^ProviderError: The email was not sent: /);
  expect(String(error)).not.toMatch(/customer|Ädä|secret/);
  expect(await recordState(job)).toBe('absent');
  expect(setup.server.posts).toBe(0);
  return String(error);
}

describe.for(withTemplates)('$name', (provider) => {
  const wanted = templateCases[provider.name]!;

  it('sends a template with everything that it takes beside one', async (test) => {
    const setup = await setUp(test, provider);
    const job = { ...newJob(), key };
    const { state, error } = await send(setup, fullTemplateEmail(provider.name), job);
    expect([state, error]).toEqual(['sent', undefined]);
    expect(setup.server.requests[0]?.body).toEqual(wanted.body);
  });

  it('the variables are the same bytes in any order, with every nodemailer', async (test) => {
    const raws = new Set<string>();
    for (const major of majors) {
      for (const variables of [
        { b: 1, a: [{ y: 'x', z: 2 }], '10': 'x', '9': 'y' },
        { '9': 'y', '10': 'x', a: [{ z: 2, y: 'x' }], b: 1 },
      ]) {
        if (provider.name === 'Resend') variables.a = 'x' as never;
        const setup = await setUp(test, provider, { major });
        const mail = templateEmail(provider.name, { template: { id: wanted.id, variables } });
        expect((await send(setup, mail, { ...newJob(), key })).error).toBeUndefined();
        raws.add(setup.server.requests[0]?.raw ?? '');
      }
    }
    expect([...raws]).toHaveLength(1);
  });

  it('a template needs no variables', async (test) => {
    for (const template of [{ id: wanted.id }, { id: wanted.id, variables: {} }]) {
      const setup = await setUp(test, provider);
      const { error } = await send(setup, templateEmail(provider.name, { template }));
      expect(error).toBeUndefined();
    }
  });

  it('content beside a template is refused', async (test) => {
    for (const content of [{ html: '<b>x</b>' }, { text: 'x' }, { html: Buffer.from('x') }]) {
      expect(await refused(test, provider, templateEmail(provider.name, content))).toMatch(
        /it has "(html|text)" beside a "template"/,
      );
    }
  });

  it(`a subject is ${wanted.subject}, a From is ${wanted.from}`, async (test) => {
    const subject = templateEmail(provider.name, { subject: 'x' });
    const from = templateEmail(provider.name, { from: 'shop@shop.example' });
    if (wanted.subject === 'refused') {
      expect(await refused(test, provider, subject)).toContain('it has a "subject" beside');
    } else {
      expect((await send(await setUp(test, provider), subject)).state).toBe('sent');
    }
    if (wanted.from === 'refused') {
      expect(await refused(test, provider, from)).toContain('it has a "from" beside');
      return;
    }
    expect((await send(await setUp(test, provider), from)).state).toBe('sent');
    const none = templateEmail(provider.name, { from: undefined });
    if (wanted.from === 'required') {
      expect(await refused(test, provider, none)).toContain('it has no "from"');
      return;
    }
    const setup = await setUp(test, provider);
    const info = await setup.transporter.sendMail(none);
    expect(info.envelope).toEqual({ from: '', to: ['ada@customer.example'] });
  });

  it('parts that it does not take beside a template are refused', async (test) => {
    const parts = {
      attachment: { attachments: [{ filename: 'a.pdf', content: 'x' }] },
      headers: { headers: { 'X-A': 'b' } },
      replyTo: { replyTo: 'help@shop.example' },
    };
    for (const [part, more] of Object.entries(parts)) {
      if (wanted[part as keyof typeof parts]) continue;
      await refused(test, provider, templateEmail(provider.name, more));
    }
  });

  it(`its copies are sent: ${wanted.copies.join(' and ') || 'none'}`, async (test) => {
    for (const field of ['cc', 'bcc'] as const) {
      const mail = templateEmail(provider.name, { [field]: 'copy@shop.example' });
      if (wanted.copies.includes(field)) {
        const setup = await setUp(test, provider);
        expect((await send(setup, mail)).error).toBeUndefined();
        expect(setup.server.requests[0]?.raw).toContain('copy@shop.example');
      } else {
        await refused(test, provider, mail);
      }
    }
  });

  it(`a variable that is an object is ${wanted.nested ? 'sent' : 'refused'}`, async (test) => {
    const template = { id: wanted.id, variables: { a: { b: ['c', null, true] } } };
    const mail = templateEmail(provider.name, { template });
    if (wanted.nested) {
      const setup = await setUp(test, provider);
      expect((await send(setup, mail)).error).toBeUndefined();
      expect(setup.server.requests[0]?.raw.replaceAll('\\', '')).toContain('["c",null,true]');
    } else {
      expect(await refused(test, provider, mail)).toContain('the variable "a" of its template');
    }
  });

  it('an email without any content is refused', async (test) => {
    const mail = templateEmail(provider.name, { template: undefined, from: 'shop@shop.example' });
    expect(await refused(test, provider, mail)).toMatch(/neither "text", "html" nor "template"/);
  });
});

class Order {
  readonly id = 7;
}
const circle: Record<string, unknown> = {};
circle['circle'] = circle;

const postmark = named('Postmark');

it.for([
  [{ template: { id: '' } }, /"id" of its template is neither a name nor a positive number/],
  [{ template: { id: ' ' } }, /"id" of its template/],
  [{ template: { id: 'a\r\nb' } }, /"id" of its template/],
  [{ template: { id: 0 } }, /"id" of its template/],
  [{ template: { id: 1.5 } }, /"id" of its template/],
  [{ template: { id: Number.NaN } }, /"id" of its template/],
  [{ template: { id: null } }, /"id" of its template/],
  [{ template: { id: {} } }, /"id" of its template/],
  [{ template: { id: 'a', params: {} } }, /has the field "params" beside "id", "variables"/],
  [{ template: { name: 'a' } }, /a "template" without "id", and neither "text" nor "html"/],
  [{ template: 'a' }, /a "template" without "id", and neither "text" nor "html"/],
  [{ template: 7 }, /a "template" without "id"/],
  [{ template: () => 'a' }, /a "template" without "id"/],
  [{ template: ['a'] }, /a "template" without "id"/],
  [{ template: { id: 'a', variables: 'x' } }, /"variables" of its template are not a plain object/],
  [{ template: { id: 'a', variables: ['x'] } }, /not a plain object/],
  [{ template: { id: 'a', variables: new Map([['a', 1]]) } }, /not a plain object/],
  [{ template: { id: 'a', variables: new Order() } }, /not a plain object/],
  [{ template: { id: 'a', variables: { at: new Date() } } }, /the variable "at", which is a Date/],
  [{ template: { id: 'a', variables: { a: { b: [undefined] } } } }, /"a.b.0", which is undefined/],
  // oxlint-disable-next-line no-sparse-arrays
  [{ template: { id: 'a', variables: { a: [1, , 3] } } }, /"a.1", which is undefined/],
  [{ template: { id: 'a', variables: { a: Number.NaN } } }, /which is NaN/],
  [{ template: { id: 'a', variables: { a: Number.POSITIVE_INFINITY } } }, /which is Infinity/],
  [{ template: { id: 'a', variables: { a: 7n } } }, /which is bigint/],
  [{ template: { id: 'a', variables: { a: Symbol('x') } } }, /which is symbol/],
  [{ template: { id: 'a', variables: { a: () => 'x' } } }, /which is function/],
  [{ template: { id: 'a', variables: { toJSON: () => ({}) } } }, /"toJSON", which is function/],
  [{ template: { id: 'a', variables: { a: new Order() } } }, /which is an object of a class/],
  [{ template: { id: 'a', variables: { a: Buffer.from('x') } } }, /which is an object of a class/],
  [{ template: { id: 'a', variables: circle } }, /nested too deeply/],
  [{ template: { id: 'a', variables: { 'x@customer.example': 7n } } }, /the variable "…", which/],
  [{ template: { id: 'a', 'x@customer.example': 1 } }, /has the field "…"/],
] as const)('%o is refused with a clear error', async ([mail, message], test) => {
  expect(await refused(test, postmark, templateEmail('Postmark', mail))).toMatch(message);
});

it('the type of an id is that of the provider', async (test) => {
  const asText = templateEmail('Brevo', { template: { id: '12' } });
  expect(await refused(test, named('Brevo'), asText)).toContain('is not a number');
  const asNumber = templateEmail('SES', { template: { id: 12 } });
  expect(await refused(test, named('SES'), asNumber)).toContain('is not a string');
  const setup = await setUp(test, postmark);
  await send(setup, templateEmail('Postmark', { template: { id: 12 } }));
  expect(setup.server.requests[0]?.body).toMatchObject({ TemplateId: 12, TemplateModel: {} });
});

it('names such as __proto__ are variables like others', async (test) => {
  const variables = JSON.parse('{"__proto__":{"a":1},"constructor":"x"}') as object;
  const setup = await setUp(test, postmark);
  await send(setup, templateEmail('Postmark', { template: { id: 'a', variables } }));
  expect(setup.server.requests[0]?.raw).toContain(
    '"TemplateModel":{"__proto__":{"a":1},"constructor":"x"}',
  );
});

it('an email whose content a plugin wrote keeps the field of that plugin', async (test) => {
  const setup = await setUp(test, postmark);
  for (const template of ['notice.hbs', { name: 'notice.hbs', engine: 'handlebars' }]) {
    const from = 'shop@shop.example';
    const mail = templateEmail('Postmark', { template, from, html: '<b>x</b>', subject: 'x' });
    expect((await send(setup, mail)).error).toBeUndefined();
  }
  expect(setup.server.requests[1]?.body).not.toHaveProperty('TemplateModel');
});

it.for(others)('$name has no templates, and refuses one', async (provider, test) => {
  const mail = templateEmail(provider.name);
  expect(await refused(test, provider, mail)).toContain('it has a "template", and');
});

it('SparkPost: a name with "{{" is refused beside a template, too', async (test) => {
  const copies = { to: { name: '{{x}}', address: 'ada@shop.example' }, bcc: 'b@shop.example' };
  const mail = templateEmail('SparkPost', copies);
  expect(await refused(test, named('SparkPost'), mail)).toContain('"{{"');
});

it('a template is posted below "url", also with a query', async (test) => {
  const { server } = await setUp(test, postmark);
  const setup = await setUp(test, postmark, { url: `${server.url}/?a=b` });
  await send(setup, templateEmail('Postmark'));
  expect(server.posts).toBe(1);
  expect(server.requests[0]?.path).toBe('/email/withTemplate?a=b');
});

it('Loops without "transactionalId" sends the template of each email', async (test) => {
  const loops = { ...named('Loops'), create: loopsTransport };
  const setup = await setUp(test, loops);
  expect((await send(setup, templateEmail('Loops'))).error).toBeUndefined();
  const plain = { from: 'shop@shop.example', to: 'ada@customer.example', text: 'x' };
  expect(await refused(test, loops, plain)).toContain('no "transactionalId"');
});

it('the type fits nodemailer 10 and @types/nodemailer 6 and 8', () => {
  const template = { id: 'notice', variables: { order: 7, lines: [{ name: 'x' }] } };
  const email: SendMailOptions & TemplateMessage = { to: 'a@b.example', template };
  const email6: SendMailOptions6 & TemplateMessage = { to: 'a@b.example', template };
  const email8: SendMailOptions8 & TemplateMessage = { to: 'a@b.example', template };
  // @ts-expect-error: JSON has no Date.
  const at: TemplateMessage = { template: { id: 'notice', variables: { at: new Date() } } };
  expect([email, email6, email8, at]).toHaveLength(4);
});
