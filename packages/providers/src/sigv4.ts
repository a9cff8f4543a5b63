import { createHash, createHmac } from 'node:crypto';

/** @internal */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** @internal */
export interface AwsRequest {
  readonly method: string;
  readonly url: string;
  /**
   * Headers that are signed beside those that `sigV4Headers()` returns: lower case, no two alike.
   */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly region: string;
  readonly service: string;
  readonly credentials: AwsCredentials;
  readonly date: Date;
}

/**
 * @internal The headers that authenticate a request by AWS Signature Version 4. Path and query must
 * need no escaping. The test compares it with two libraries, see decision 31.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function sigV4Headers(request: AwsRequest): Record<string, string> {
  const { region, service, credentials, date } = request;
  const time = date.toISOString().replaceAll(/[:-]|\.\d+/g, '');
  const scope = [time.slice(0, 8), region, service, 'aws4_request'];
  const own = {
    'x-amz-date': time,
    ...(credentials.sessionToken !== undefined && {
      'x-amz-security-token': credentials.sessionToken,
    }),
  };
  const { text, signedHeaders } = canonical({
    ...request,
    headers: { ...request.headers, ...own },
  });
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(text)].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, toSign).toString('hex');
  const credential = [credentials.accessKeyId, ...scope].join('/');
  return {
    ...own,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
  };
}

function canonical({ method, url, headers, body }: AwsRequest): {
  readonly text: string;
  readonly signedHeaders: string;
} {
  const { host, pathname, search } = new URL(url);
  const parameters = search.slice(1).split('&').sort(compareParameters);
  const named = Object.entries({ ...headers, host }).sort(([a], [b]) => (a < b ? -1 : 1));
  const signedHeaders = named.map(([name]) => name).join(';');
  const lines = named.map(([name, value]) => `${name}:${value}\n`).join('');
  const text = [method, pathname, parameters.join('&'), lines, signedHeaders, sha256(body)].join(
    '\n',
  );
  return { text, signedHeaders };
}

/** By name, then by value: as texts, `a-b=1` would come before `a=1`. */
function compareParameters(one: string, other: string): number {
  const [name, value = ''] = one.split('=');
  const [otherName, otherValue = ''] = other.split('=');
  if (name === otherName) return value < otherValue ? -1 : 1;
  return name! < otherName! ? -1 : 1;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
