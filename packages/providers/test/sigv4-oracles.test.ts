import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { AwsV4Signer } from 'aws4fetch';
import { array, assert, asyncProperty, constantFrom, date, option } from 'fast-check';
import { record, string, stringMatching, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AwsRequest, sigV4Headers } from '../src/sigv4.ts';

// The signer of this package beside AWS's own and a second library, over requests at random: see
// docs/decisions/0031-aws-signatures.md. The libraries are development dependencies only.

/** SHA-256 as AWS's signer takes it. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string);
  }
  update(chunk: Uint8Array | string): void {
    this.#hash.update(chunk);
  }
  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest());
  }
  reset(): void {}
}

async function signWithSmithy(request: AwsRequest): Promise<string | undefined> {
  const { method, url, headers, body, region, service, credentials, date } = request;
  const { protocol, hostname, host, pathname, searchParams } = new URL(url);
  const signer = new SignatureV4({
    region,
    service,
    sha256: Sha256,
    applyChecksum: false,
    credentials: {
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken !== undefined && { sessionToken: credentials.sessionToken }),
    },
  });
  const signed = await signer.sign(
    {
      method,
      protocol,
      hostname,
      path: pathname,
      body,
      headers: { ...headers, host },
      query: Object.fromEntries(searchParams),
    },
    { signingDate: date },
  );
  return signed.headers['authorization'];
}

async function signWithAws4fetch(request: AwsRequest): Promise<string | null> {
  const { method, url, headers, body, region, service, credentials, date } = request;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const datetime = date.toISOString().replaceAll(/[:-]|\.\d+/g, '');
  const signer = new AwsV4Signer({
    method,
    url,
    headers,
    region,
    service,
    accessKeyId,
    secretAccessKey,
    datetime,
    ...(method !== 'GET' && { body }),
    ...(sessionToken !== undefined && { sessionToken }),
    // Otherwise it leaves out Content-Type and others that a proxy may change.
    allHeaders: true,
  });
  return (await signer.sign()).headers.get('authorization');
}

const plain = stringMatching(/^[\w.~-]{1,20}$/);
const secret = stringMatching(/^[\w+/=]{1,80}$/);
// `__proto__` is no name for the object in which AWS's library takes the query.
const name = plain.filter((text) => text !== '__proto__');
const pairs = array(tuple(name, plain), { maxLength: 5 }).map((all) => {
  const byName = new Map(all);
  return byName.size === 0
    ? ''
    : `?${[...byName].map(([name, value]) => `${name}=${value}`).join('&')}`;
});

/**
 * Every request that `sigV4Headers()` promises to sign: a path and a query that need no escaping.
 */
const requests = record({
  method: constantFrom('POST', 'GET', 'PUT'),
  // "xn--" and what is not Punycode after it is no host.
  host: stringMatching(/^[a-z][a-z\d-]{0,20}(\.[a-z][a-z\d]{1,8}){1,3}(:[1-9]\d{3})?$/).filter(
    (host) => URL.canParse(`https://${host}`),
  ),
  path: array(
    plain.filter((part) => !/^\.+$/.test(part)),
    { maxLength: 5 },
  ),
  query: pairs,
  headers: array(
    tuple(
      stringMatching(/^x-[a-z\d-]{1,20}$/).filter((name) => !name.startsWith('x-amz')),
      plain,
    ),
    { maxLength: 4 },
  ).map((all) => Object.fromEntries(all)),
  body: string({ unit: 'grapheme', maxLength: 300 }),
  region: constantFrom('eu-west-1', 'us-east-1', 'ap-southeast-2', 'us-gov-west-1'),
  service: constantFrom('ses', 'iam', 'email'),
  credentials: record({
    accessKeyId: stringMatching(/^[A-Z\d]{16,20}$/),
    secretAccessKey: secret,
    sessionToken: option(secret, { nil: undefined }),
  }),
  date: date({
    min: new Date('2000-01-01T00:00:00Z'),
    max: new Date('2099-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  }),
}).map(({ method, host, path, query, body, ...others }): AwsRequest => {
  const url = `https://${host}/${path.join('/')}${query}`;
  return { method, url, body: method === 'GET' ? '' : body, ...others };
});

const example: AwsRequest = {
  method: 'POST',
  url: 'https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails',
  headers: {},
  body: '{}',
  region: 'eu-west-1',
  service: 'ses',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
  date: new Date('2026-11-30T09:00:00Z'),
};

describe('AWS Signature Version 4, at random', () => {
  it("1,000 requests get the signature of AWS's own library and of aws4fetch", async () => {
    let compared = 0;
    await assert(
      asyncProperty(requests, async (request) => {
        const { authorization } = sigV4Headers(request);
        expect(authorization).toBe(await signWithSmithy(request));
        expect(authorization).toBe(await signWithAws4fetch(request));
        compared += 1;
      }),
      { numRuns: 1000 },
    );
    expect(compared).toBe(1000);
  });

  it('sorts the query by name where one name begins another', async () => {
    const request: AwsRequest = {
      ...example,
      method: 'GET',
      body: '',
      url: `${example.url}?a-=1&a=2`,
    };
    const { authorization } = sigV4Headers(request);
    expect(authorization).toBe(await signWithSmithy(request));
    expect(authorization).toBe(await signWithAws4fetch(request));
  });

  it('a change of any part of the request changes the signature', () => {
    const changed: AwsRequest[] = [
      { ...example, method: 'PUT' },
      { ...example, url: `${example.url}/x` },
      { ...example, headers: { 'x-a': 'b' } },
      { ...example, body: '{ }' },
      { ...example, region: 'eu-west-2' },
      { ...example, service: 'iam' },
      { ...example, credentials: { ...example.credentials, secretAccessKey: 'Secret' } },
      { ...example, date: new Date('2026-11-30T09:00:01Z') },
    ];
    const signatures = [example, ...changed].map((one) => sigV4Headers(one)['authorization']);
    expect(new Set(signatures).size).toBe(signatures.length);
  });
});
