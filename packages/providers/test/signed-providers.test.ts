import { deriveKey } from '@sendonce/core';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { azureTransport, type OutcomeState, sesTransport } from '../src/index.ts';
import { toUuid } from '../src/idempotency-key.ts';
import { email } from '../../mail/test/helpers.ts';
import { providerNamed, setUp, trySend } from './helpers.ts';

const [azure, ses] = [providerNamed('Azure'), providerNamed('SES')];

interface Given {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

function answering({ status, body, headers }: Given) {
  return async () => new Response(JSON.stringify(body), { status, ...(headers && { headers }) });
}

const type = (name: string) => ({ 'x-amzn-errortype': `${name}:http://internal.amazon.com/` });

const cases: [string, Given, OutcomeState][] = [
  ['Azure', { status: 202, body: { id: 'a', status: 'Running' } }, 'sent'],
  ['Azure', { status: 202, body: { id: 'a', status: 'Failed' } }, 'rejected'],
  ['Azure', { status: 202, body: { id: 'a', status: 'Canceled' } }, 'rejected'],
  ['Azure', { status: 200, body: { id: 'a', status: 'Running' } }, 'unknown'],
  ['Azure', { status: 202, body: {} }, 'unknown'],
  ['Azure', { status: 400, body: { error: { code: 'BadRequest' } } }, 'rejected'],
  ['Azure', { status: 401, body: { error: { code: 'Denied' } } }, 'refused'],
  ['Azure', { status: 409, body: { error: { code: 'Conflict' } } }, 'unknown'],
  ['SES', { status: 200, body: { MessageId: 'a' } }, 'sent'],
  ['SES', { status: 400, body: {}, headers: type('BadRequestException') }, 'rejected'],
  ['SES', { status: 400, body: {}, headers: type('MessageRejected') }, 'rejected'],
  ['SES', { status: 400, body: {}, headers: type('SendingPausedException') }, 'refused'],
  ['SES', { status: 400, body: {}, headers: type('AccountSuspendedException') }, 'refused'],
  ['SES', { status: 400, body: { __type: 'a#LimitExceededException' } }, 'refused'],
  ['SES', { status: 400, body: { __type: 'ThrottlingException' } }, 'refused'],
  ['SES', { status: 403, body: {}, headers: type('SignatureDoesNotMatch') }, 'refused'],
  ['SES', { status: 429, body: {}, headers: type('TooManyRequestsException') }, 'refused'],
  ['SES', { status: 500, body: {}, headers: type('InternalFailure') }, 'unknown'],
  ['SES', { status: 500, body: {}, headers: type('ThrottlingException') }, 'unknown'],
];

it.for(cases)('%s answers %j: %s', async ([name, given, outcome], test) => {
  const setup = await setUp(test, providerNamed(name), { fetch: answering(given) });
  const { state, error } = await trySend(setup);
  if (outcome === 'sent') expect(state).toBe('sent');
  else expect(error).toMatchObject({ outcome, status: given.status });
  const code = given.headers?.['x-amzn-errortype']?.split(':')[0];
  if (code !== undefined) expect(error).toMatchObject({ reason: code });
});

it.for([azure, ses])('$name: another secret is refused by its server', async (provider, test) => {
  const setup = await setUp(test, provider);
  const wrong = await setUp(test, provider, { url: setup.server.url, apiKey: 'YW5vdGhlcg==' });
  const { state, error } = await trySend(wrong);
  expect(state).toBe('threw');
  expect(error).toMatchObject({ outcome: 'refused' });
  expect([setup.server.posts, setup.server.accepted.length]).toEqual([1, 0]);
});

describe('Azure', () => {
  it('gives the email the UUID of its key as Operation-Id, at every attempt', async (test) => {
    const setup = await setUp(test, azure);
    const key = deriveKey(['operation']);
    setup.server.setFault('too-many');
    await trySend(setup, { key });
    await trySend(setup, { key });
    const ids = setup.server.requests.map(({ headers }) => headers['operation-id']);
    expect(ids).toEqual([toUuid(key), toUuid(key)]);
  });

  it('refuses a From with a name', async (test) => {
    const setup = await setUp(test, azure);
    const { state, error } = await trySend(setup, { mail: { from: 'Shop <shop@shop.example>' } });
    expect(state).toBe('threw');
    expect(String(error)).toMatch(/its From has a name/);
    expect(setup.server.posts).toBe(0);
  });

  it('checks the endpoint, and does not show it', () => {
    for (const endpoint of [
      'https://secret@shop.example',
      'https://:secret@shop.example',
      'https://shop.example/?secret',
      'https://shop.example/#secret',
      'file:///secret',
      undefined as never,
    ]) {
      const create = () => azureTransport({ endpoint, accessKey: 'YQ==' });
      expect(create).toThrow(
        expect.objectContaining({ code: 'SENDONCE_OPTION', option: 'endpoint' }),
      );
      expect(create).not.toThrow(/secret/);
    }
  });

  it('posts to the endpoint, with or without a slash at its end', async () => {
    const urls: string[] = [];
    const fetch = async (url: unknown) => {
      urls.push(String(url));
      return new Response('{"id":"a","status":"Running"}', { status: 202 });
    };
    for (const endpoint of ['https://shop.example', 'https://shop.example/']) {
      const transport = azureTransport({ endpoint, accessKey: 'YQ==', fetch });
      await createTransport(transport).sendMail(email());
    }
    const url = 'https://shop.example/emails:send?api-version=2025-09-01';
    expect(urls).toEqual([url, url]);
  });
});

describe('SES', () => {
  it.for([
    ['more than 15', Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`X-${n}`, 'a']))],
    ['one that is not ASCII', { 'X-A': 'ä' }],
    ['one that is too long', { 'X-A': 'a'.repeat(871) }],
    ['an empty one', { 'X-A': '' }],
  ] as [string, SendMailOptions['headers']][])(
    'refuses custom headers: %s',
    async ([, headers], test) => {
      const setup = await setUp(test, ses);
      const { state, error } = await trySend(setup, { mail: { headers } });
      expect(state).toBe('threw');
      expect(error).toMatchObject({ code: 'SENDONCE_PROVIDER', outcome: 'not-sent' });
      expect(setup.server.posts).toBe(0);
    },
  );

  it('posts to its region, with a session token where there is one', async () => {
    const requests: [string, Headers][] = [];
    const fetch = async (url: unknown, init?: RequestInit) => {
      requests.push([String(url), new Headers(init?.headers)]);
      return new Response('{"MessageId":"a"}');
    };
    const account = { region: 'eu-west-1', accessKeyId: 'A', secretAccessKey: 'b' };
    for (const session of [{}, { sessionToken: 'token' }]) {
      await createTransport(sesTransport({ ...account, ...session, fetch })).sendMail(email());
    }
    const [first, second] = requests;
    expect(first?.[0]).toBe('https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails');
    expect(first?.[1].get('x-amz-security-token')).toBeNull();
    expect(second?.[1].get('x-amz-security-token')).toBe('token');
  });

  it('checks its own options', () => {
    const account = { region: 'eu-west-1', accessKeyId: 'A', secretAccessKey: 'b' };
    for (const wrong of [
      { region: 'eu-west-1.evil.example/' },
      { region: '' },
      { accessKeyId: 'a b' },
      { sessionToken: 'secret\n' },
    ]) {
      const create = () => sesTransport({ ...account, ...wrong });
      expect(create).toThrow(
        expect.objectContaining({ code: 'SENDONCE_OPTION', option: Object.keys(wrong)[0] }),
      );
      expect(create).not.toThrow(/secret\n|evil/);
    }
  });
});
