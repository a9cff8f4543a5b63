import { inspect } from 'node:util';
import { deriveKey, memoryLedger } from '@sendonce/core';
import { AxiosError } from 'axios';
import { Resend } from 'resend';
import { describe, expect, it } from 'vitest';
import { attempt, codeOf, recordState } from '../../../mail/test/helpers.ts';
import {
  brevoSdk,
  fetchCall,
  mailgunSdk,
  type Outcome,
  postmarkSdk,
  type ProviderError,
  resendSdk,
  type SdkAdapter,
  type SdkKeys,
  sendGridSdk,
  sendWith,
  sesSdk,
} from '../../src/index.ts';

let keys = 0;

/** One attempt of one email, which sends with the call. */
async function trySending(sdk: SdkAdapter, call: (keys: SdkKeys) => Promise<unknown>) {
  const job = { ledger: memoryLedger(), key: deriveKey(['sdk', keys++]) };
  let result: unknown;
  let thrown: unknown;
  const { state, error } = await attempt(job, async () => {
    try {
      result = await sendWith(sdk, call);
    } catch (error) {
      thrown = error;
      throw error;
    }
  });
  const record = await job.ledger.read(job.key);
  return { job, state, record, result, error: (thrown ?? error) as ProviderError };
}

const answering = (result: unknown) => () => Promise.resolve(result);
const failing = (error: unknown) => async () => {
  throw error;
};

/** An adapter that gives the same outcome for everything. */
const always = (outcome: Outcome): SdkAdapter => ({
  name: 'Fixed',
  readResult: () => outcome,
  readError: () => outcome,
});

describe('what sendWith() resolves and rejects with', () => {
  it('the result of the SDK, and the id of the provider is in the record', async () => {
    const result = { data: { id: 'id-1' }, error: null, headers: {} };
    const tried = await trySending(resendSdk, answering(result));
    expect(tried.result).toBe(result);
    expect(tried.record).toMatchObject({ state: 'sent', messageId: 'id-1' });
  });

  it('the call gets the key of the claim, also as a UUID', async () => {
    let given: SdkKeys | undefined;
    const { job } = await trySending(brevoSdk, ({ idempotencyKey, uuid }) => {
      given = { idempotencyKey, uuid };
      return Promise.resolve({ messageId: '<id@brevo>' });
    });
    expect(given?.idempotencyKey).toBe(job.key);
    expect(given?.uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });

  it('the dispatch comes before the call', async () => {
    const job = { ledger: memoryLedger(), key: deriveKey(['dispatch first']) };
    await attempt(job, () =>
      sendWith(resendSdk, async () => {
        expect((await job.ledger.read(job.key))?.state).toBe('dispatched');
        return { data: { id: 'id-1' } };
      }),
    );
    expect(await recordState(job)).toBe('sent');
  });

  it('a refusal has the time after which the provider accepts emails again', async () => {
    const error = { statusCode: 429, name: 'rate_limit_exceeded', message: 'slow down' };
    const result = { data: null, error, headers: { 'Retry-After': '7' } };
    const tried = await trySending(resendSdk, answering(result));
    expect(tried.error).toMatchObject({ outcome: 'refused', status: 429, retryAfterMs: 7000 });
    expect(tried.error.sdkError).toBe(result);
    expect(tried.record).toBeUndefined();
  });

  it('no log shows the error of the SDK, which has the API key and the email', async () => {
    const config = { headers: { Authorization: 'Bearer secret' }, data: 'to customer@x.example' };
    const axiosError = new AxiosError('for customer@x.example', 'ECONNRESET', config as never);
    const { error } = await trySending(sendGridSdk, failing(axiosError));
    expect(error.sdkError).toBe(axiosError);
    expect(error.cause).toBeUndefined();
    const shown = inspect(error, { depth: 10 }) + JSON.stringify(error) + String(error.stack);
    expect(shown).not.toMatch(/secret|customer/);
    expect(Object.keys(error)).not.toContain('sdkError');
  });

  it('Brevo reports as an error that an earlier request sent the email: sent', async () => {
    const duplicate = { statusCode: 400, body: { code: 'duplicate_parameter' } };
    const keyed = await trySending(brevoSdk, ({ uuid }) => failing({ ...duplicate, uuid })());
    expect(keyed).toMatchObject({ state: 'sent', result: undefined });
    // Without the key it is the refusal of another parameter.
    expect((await trySending(brevoSdk, failing(duplicate))).state).toBe('rejected');
  });
});

describe('what cannot be read is a doubt', () => {
  const page = '<html>502</html>';
  it.for<[SdkAdapter, unknown]>([
    [resendSdk, undefined],
    [resendSdk, null],
    [resendSdk, page],
    [resendSdk, { data: null, error: null }],
    [resendSdk, { data: {}, error: null }],
    [resendSdk, { data: null, error: {} }],
    [resendSdk, { data: null, error: 'no' }],
    [resendSdk, { data: null, error: { name: 'application_error', statusCode: 400 } }],
    [brevoSdk, undefined],
    [brevoSdk, { ok: false, error: { reason: 'non-json', statusCode: 200 } }],
    [brevoSdk, page],
    [sendGridSdk, undefined],
    [sendGridSdk, page],
    [sendGridSdk, []],
    [sendGridSdk, [{ statusCode: 200, body: page, headers: {} }, page]],
    [sendGridSdk, [{ statusCode: 202, body: '', headers: {} }, '']],
    [postmarkSdk, undefined],
    [postmarkSdk, page],
    [postmarkSdk, { ErrorCode: 300 }],
    [postmarkSdk, [{ ErrorCode: 0, MessageID: 'batch' }]],
    [sesSdk, undefined],
    [sesSdk, { $metadata: { httpStatusCode: 200 } }],
    [mailgunSdk, undefined],
    [mailgunSdk, { status: 200, message: page }],
    [fetchCall, undefined],
    [fetchCall, { id: 'the JSON, not the Response' }],
  ])('%o resolves with %o', async ([sdk, result]) => {
    const { state, error, record } = await trySending(sdk, answering(result));
    expect(state).toBe('in-doubt');
    expect(record?.state).toBe('in-doubt');
    expect(error).toMatchObject({ outcome: 'unknown', mayHaveLeft: 'maybe' });
  });

  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error('secret');
      },
    },
  );
  it.for<[SdkAdapter, unknown]>(
    [resendSdk, brevoSdk, sendGridSdk, postmarkSdk, sesSdk, mailgunSdk, fetchCall].flatMap(
      (sdk): [SdkAdapter, unknown][] =>
        [undefined, null, 'no', new Error('no'), new TypeError('x'), {}, hostile].map((error) => [
          sdk,
          error,
        ]),
    ),
  )('$0.name rejects with something that it does not know, %#', async ([sdk, error]) => {
    const tried = await trySending(sdk, failing(error));
    expect(tried.state).toBe('in-doubt');
    expect(String(tried.error)).not.toContain('secret');
  });

  it('a call that returns nothing says what to do', async () => {
    const { error } = await trySending(resendSdk, (() => {}) as never);
    expect(error.message).toMatch(/returned nothing: return the promise of the SDK/);
  });

  it('an adapter that answers nothing, or throws', async () => {
    for (const sdk of [always({ state: 'yes' } as never), always(undefined as never)]) {
      expect((await trySending(sdk, answering({}))).state).toBe('in-doubt');
    }
  });
});

describe('errors of the network', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  });
  const laterRefused = Object.assign(new Error('x'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
    $metadata: { attempts: 2 },
  });
  const reset = Object.assign(new Error('read ECONNRESET'), {
    code: 'ECONNRESET',
    syscall: 'read',
  });
  const inHandshake = Object.assign(
    new Error('Client network socket disconnected before secure TLS connection was established'),
    { code: 'ECONNRESET' },
  );
  const dns = Object.assign(new Error('x'), { code: 'EAI_AGAIN', syscall: 'getaddrinfo' });
  const certificate = Object.assign(new Error('x'), { code: 'CERT_HAS_EXPIRED' });
  const several = Object.assign(new AggregateError([refused, refused]), { code: 'ECONNREFUSED' });
  const half = new AggregateError([refused, reset]);
  const inFetch = (cause: Error) => new TypeError('fetch failed', { cause });
  const inBrevo = (cause: Error) =>
    Object.assign(new Error('x', { cause: inFetch(cause) }), {
      statusCode: undefined,
      rawResponse: {},
    });
  const inMailgun = ({ code, message }: Error & { code?: string }) =>
    Object.assign(new Error(code), { status: 400, details: message, type: 'MailgunAPIError' });

  it.for<[string, SdkAdapter, Error]>([
    ['SES', sesSdk, refused],
    ['SES', sesSdk, dns],
    ['SES', sesSdk, certificate],
    ['SES', sesSdk, several],
    ['SES', sesSdk, Object.assign(new Error('x'), { name: 'CredentialsProviderError' })],
    [
      'SendGrid',
      sendGridSdk,
      Object.assign(new AxiosError('x', 'ECONNREFUSED'), { cause: several }),
    ],
    ['fetch', fetchCall, inFetch(refused)],
    ['fetch', fetchCall, inFetch(inHandshake)],
    ['fetch', fetchCall, inFetch(certificate)],
    ['Brevo', brevoSdk, inBrevo(dns)],
    ['Mailgun', mailgunSdk, inMailgun(refused)],
  ])('%s: no connection was made, %#', async ([, sdk, error]) => {
    const tried = await trySending(sdk, failing(error));
    expect(tried.error).toMatchObject({ outcome: 'not-sent', mayHaveLeft: 'no' });
    expect(tried.record).toBeUndefined();
  });

  it.for<[string, SdkAdapter, Error]>([
    ['SES', sesSdk, reset],
    ['SES', sesSdk, half],
    [
      'SES',
      sesSdk,
      Object.assign(new Error('x'), { name: 'SyntaxError', $metadata: { httpStatusCode: 400 } }),
    ],
    ['SES, later attempt', sesSdk, laterRefused],
    ['fetch', fetchCall, inFetch(reset)],
    ['Brevo', brevoSdk, inBrevo(reset)],
    ['Mailgun', mailgunSdk, inMailgun(reset)],
    ['Postmark', postmarkSdk, Object.assign(new Error('fetch failed'), { statusCode: 0, code: 0 })],
  ])('%s: the email may have been sent, %#', async ([, sdk, error]) => {
    expect((await trySending(sdk, failing(error))).state).toBe('in-doubt');
  });
});

describe('wrong calls', () => {
  it('outside of a claim nothing is sent', async () => {
    let calls = 0;
    const error = await sendWith(resendSdk, async () => calls++).catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: 'SENDONCE_PROVIDER',
      outcome: 'not-sent',
      mayHaveLeft: 'no',
    });
    expect(String(error)).toMatch(/not sent: sendWith\(\) was called outside of a claim/);
    expect(calls).toBe(0);
  });

  it.for([
    ['the client', new Resend('re_1')],
    ['nothing', undefined],
    ['a name', 'resend'],
    ['half an adapter', { name: 'x', readResult: () => ({ state: 'sent' }) }],
  ])('%s in place of the adapter: an OptionError, and nothing is sent', async ([, sdk]) => {
    let calls = 0;
    const { error, state, record } = await trySending(sdk as never, async () => calls++);
    expect(codeOf(error)).toBe('SENDONCE_OPTION');
    expect(String(error)).toMatch(/Nothing was sent.*client in the call/);
    expect([state, record, calls]).toEqual(['threw', undefined, 0]);
  });

  it('a value that is no function: an OptionError, and nothing is sent', async () => {
    const { error, record } = await trySending(resendSdk, { to: 'x' } as never);
    expect(codeOf(error)).toBe('SENDONCE_OPTION');
    expect(record).toBeUndefined();
  });

  it('a promise in place of the call: the SDK was called, so it is a doubt', async () => {
    for (const started of [Promise.resolve({}), Promise.reject(new Error('no'))]) {
      const { error, state } = await trySending(resendSdk, started as never);
      expect(state).toBe('in-doubt');
      expect(String(error)).toMatch(/Pass a function/);
    }
  });

  it('a second email under one claim is refused, and the first one stays sent', async () => {
    const job = { ledger: memoryLedger(), key: deriveKey(['two']) };
    const { error } = await attempt(job, async () => {
      await sendWith(resendSdk, answering({ data: { id: 'id-1' } }));
      await sendWith(resendSdk, answering({ data: { id: 'id-2' } }));
    });
    expect(codeOf(error)).toBe('SENDONCE_SECOND_EMAIL');
    expect((await job.ledger.read(job.key))?.messageId).toBe('id-1');
  });

  it('after a refusal a fallback may send', async () => {
    const refused = { data: null, error: { statusCode: 401, name: 'missing_api_key' } };
    const job = { ledger: memoryLedger(), key: deriveKey(['fallback']) };
    const ended = await attempt(job, () =>
      sendWith(resendSdk, answering(refused)).catch(() =>
        sendWith(postmarkSdk, answering({ ErrorCode: 0, MessageID: 'id-2' })),
      ),
    );
    expect(ended.state).toBe('sent');
  });

  it('a claim that was cancelled sends nothing', async () => {
    const job = { ledger: memoryLedger(), key: deriveKey(['cancelled']) };
    let calls = 0;
    const ended = await attempt(job, async () => {
      await job.ledger.cancel({ key: job.key, retentionMs: 60_000 });
      return sendWith(resendSdk, async () => calls++);
    });
    expect([ended.state, calls]).toEqual(['cancelled', 0]);
  });

  it('a send that is not awaited is waited for', async () => {
    const job = { ledger: memoryLedger(), key: deriveKey(['not awaited']) };
    const ended = await attempt(job, () => {
      void sendWith(resendSdk, async () => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        return { data: { id: 'id-1' } };
      });
    });
    expect(ended.state).toBe('sent');
  });
});
