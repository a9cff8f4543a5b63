import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Dialect } from './provider-server.ts';

export const azureApiVersion = '2025-09-01';
const accessKey = Buffer.from('the access key of the shop').toString('base64');
const uuid = /^[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/**
 * Azure Communication Services Email, as documented: signed, 202, an operation by the client's id.
 */
export const azureDialect: Dialect = {
  path: `/emails:send?api-version=${azureApiVersion}`,
  apiKey: accessKey,
  apiKeyOf: (headers) => azureKeyOf('POST', azureDialect.path, headers),
  // Not documented: what a second request with the same Operation-Id does.
  keyOf: () => undefined,
  windowMs: 0,
  check({ headers, raw, body: { senderAddress, recipients, content } }) {
    const hash = createHash('sha256').update(raw, 'utf8').digest('base64');
    if (headers['x-ms-content-sha256'] !== hash)
      return { status: 401, body: azureDialect.error(401) };
    const id = headers['operation-id'];
    const complete = senderAddress && recipients && content && (!id || uuid.test(String(id)));
    return complete ? undefined : { status: 400, body: azureDialect.error(400) };
  },
  accepted: (id) => ({ status: 202, body: { id, status: 'Running' } }),
  repeated: ({ id }) => azureDialect.accepted(id),
  error: () => ({ error: { code: 'BadRequest', message: 'no: customer@customer.example' } }),
};

/** The access key, if the signature is its: computed as the documentation's example does it. */
export function azureKeyOf(
  method: string,
  path: string,
  headers: IncomingHttpHeaders,
): string | undefined {
  const date = String(headers['x-ms-date']);
  const signed = [date, headers.host, headers['x-ms-content-sha256']].join(';');
  const key = Buffer.from(accessKey, 'base64');
  const signature = createHmac('sha256', key)
    .update([method, path, signed].join('\n'), 'utf8')
    .digest('base64');
  const inTime = Math.abs(Date.now() - Date.parse(date)) < 5 * 60_000;
  const wanted = `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`;
  return inTime && headers.authorization === wanted ? accessKey : undefined;
}
