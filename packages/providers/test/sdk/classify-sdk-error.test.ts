import { SESv2ServiceException } from '@aws-sdk/client-sesv2';
import { BrevoError } from '@getbrevo/brevo';
import { Errors } from 'postmark';
import { expect, it } from 'vitest';
import { classifySdkError, fetchCall, sendWith } from '../../src/index.ts';

// The errors of the SDKs themselves are in the fault table.
const brevo = (statusCode: number, body: unknown) => new BrevoError({ statusCode, body });
const connect = { code: 'ECONNREFUSED', syscall: 'connect' };
const metadata = { $fault: 'client', name: 'x', $metadata: { httpStatusCode: 400 } } as const;
const ses = (name: string, options = {}) =>
  new SESv2ServiceException({ ...metadata, name, ...options });

it.each([
  ['Brevo, 402', brevo(402, { code: 'not_enough_credits' }), 'refused'],
  ['Brevo, 404', brevo(404, {}), 'refused'],
  ['Brevo, 400', brevo(400, { code: 'invalid_parameter' }), 'rejected'],
  ['Brevo, 500', brevo(500, {}), undefined],
  ['Brevo, the key was used', brevo(400, { code: 'duplicate_parameter' }), undefined],
  ['Postmark, 403', new Errors.PostmarkError('x', 10, 403), 'refused'],
  ['Postmark, 422, no credits', new Errors.PostmarkError('x', 405, 422), 'refused'],
  ['Postmark, no answer', new Errors.PostmarkError('fetch failed'), undefined],
  ['SES, a rejected message', ses('MessageRejected'), 'rejected'],
  ['SES, paused', ses('SendingPausedException'), 'refused'],
  ['SES, third attempt', ses('x', { $metadata: { httpStatusCode: 429, attempts: 3 } }), undefined],
  ['SES, no connection', Object.assign(new Error('x'), connect, { $metadata: {} }), undefined],
  ['Resend, 429', { name: 'rate_limit_exceeded', statusCode: 429, message: 'x' }, 'refused'],
  ['Resend, 422', { name: 'validation_error', statusCode: 422, message: 'x' }, 'rejected'],
  ['Resend, no answer', { name: 'application_error', statusCode: null, message: 'x' }, undefined],
  // Another program may have thrown these after the email.
  ['a database that is down', Object.assign(new Error('x'), connect), undefined],
  ['fetch', new TypeError('x', { cause: Object.assign(new Error(), connect) }), undefined],
  [
    'http-errors',
    Object.assign(new Error('x'), { name: 'NotFoundError', statusCode: 404 }),
    undefined,
  ],
  ['S3', Object.assign(new Error('x'), { ...metadata, name: 'NoSuchKey' }), undefined],
  [
    'axios',
    Object.assign(new Error('x'), { isAxiosError: true, response: { status: 404 } }),
    undefined,
  ],
  // The AWS SDK adds $metadata to the network errors of each of its clients: DynamoDB, S3, SQS.
  [
    'DynamoDB after the email, no connection',
    Object.assign(
      new Error('getaddrinfo EAI_AGAIN dynamodb'),
      { code: 'EAI_AGAIN', syscall: 'getaddrinfo' },
      // It does not repeat this error.
      { $metadata: { attempts: 1, totalRetryDelay: 0 } },
    ),
    undefined,
  ],
  [
    'S3 after the email, no credentials',
    Object.assign(new Error('x'), { name: 'CredentialsProviderError', tryNextLink: false }),
    undefined,
  ],
  [
    'oauth2-server, 401',
    Object.assign(new Error('x'), { name: 'invalid_token', statusCode: 401 }),
    undefined,
  ],
  [
    'oauth2-server, 400',
    Object.assign(new Error('x'), { name: 'invalid_grant', statusCode: 400 }),
    undefined,
  ],
  ['a wrapped error', new Error('x', { cause: brevo(401, {}) }), undefined],
  ['nothing', undefined, undefined],
  ['a text', 'no', undefined],
  ['an object without a prototype', Object.create(null), undefined],
])('%s', (_title, error, verdict) => {
  expect(classifySdkError(error)).toBe(verdict);
});

it('a ProviderError keeps its outcome', async () => {
  const outside = await sendWith(fetchCall, () => fetch('http://x.invalid')).catch(
    (e: unknown) => e,
  );
  expect(classifySdkError(outside)).toBe('not-sent');
});

it('a getter that throws proves nothing', () => {
  const hostile = new Proxy(new Error('x'), {
    get() {
      throw new Error('hostile');
    },
  });
  expect(classifySdkError(hostile)).toBeUndefined();
});
