import { createHash, createHmac } from 'node:crypto';
import { OptionError } from '@sendonce/core';
import { checkHeaderText } from './provider-options.ts';

/** An Azure Communication Services resource and its key. */
export interface AzureAccount {
  /** The URL of the resource: `https://<name>.communication.azure.com`. */
  readonly endpoint: string;
  /** One of the two keys of the resource, in base64. Errors never show it. */
  readonly accessKey: string;
}

/**
 * @internal The endpoint without a slash at its end.
 * @throws {OptionError} which never shows the key.
 */
export function checkAzureAccount({ endpoint, accessKey }: AzureAccount): string {
  const parsed =
    typeof endpoint === 'string' && URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const bare = parsed && !parsed.username && !parsed.password && !parsed.search && !parsed.hash;
  if (!bare || !/^https?:$/.test(parsed.protocol)) {
    throw new OptionError(
      'endpoint',
      'Expected "endpoint" to be the http(s) URL of the resource, without credentials, query or fragment.',
    );
  }
  checkHeaderText('accessKey', accessKey, 'a key of the resource');
  return parsed.href.replace(/\/+$/, '');
}

/** @internal */
export interface AzureRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly body: string;
  readonly accessKey: string;
  readonly date: Date;
}

/**
 * @internal The headers that authenticate a request by HMAC-SHA256: date, hash of the body,
 * signature.
 */
export function azureHeaders(request: AzureRequest): Record<string, string> {
  const { host, pathname, search } = new URL(request.url);
  const date = request.date.toUTCString();
  const hash = createHash('sha256').update(request.body).digest('base64');
  const text = `${request.method}\n${pathname}${search}\n${date};${host};${hash}`;
  const signature = createHmac('sha256', Buffer.from(request.accessKey, 'base64'))
    .update(text)
    .digest('base64');
  return {
    'x-ms-date': date,
    'x-ms-content-sha256': hash,
    authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
  };
}
