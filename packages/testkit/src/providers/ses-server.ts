import { createHash, createHmac } from 'node:crypto';
import type { Dialect, ProviderRequest } from './provider-server.ts';

const secret = 'ses/secret+of+the/shop';
export const sesAccount = { region: 'eu-west-1', accessKeyId: 'AKIDOFTHESHOP' };

/** Amazon SES, API v2, as documented: Signature Version 4, no idempotency key. */
export const sesDialect: Dialect = {
  path: '/v2/email/outbound-emails',
  apiKey: secret,
  apiKeyOf: ({ authorization }) =>
    authorization?.includes(`Credential=${sesAccount.accessKeyId}/`) ? secret : undefined,
  keyOf: () => undefined,
  windowMs: 0,
  check(request) {
    if (!isSigned(request)) return { status: 403, body: sesDialect.error(403) };
    const { FromEmailAddress, Destination, Content } = request.body;
    const complete = FromEmailAddress && Destination && Content;
    return complete ? undefined : { status: 400, body: sesDialect.error(400) };
  },
  accepted: (id) => ({ status: 200, body: { MessageId: id } }),
  repeated: ({ id }) => sesDialect.accepted(id),
  error: () => ({
    __type: 'com.amazonaws.sesv2#BadRequestException',
    message: 'no: customer@customer.example',
  }),
};

/** Written from AWS's description, step by step, and not from the code that it checks. */
function isSigned({ headers, raw }: ProviderRequest): boolean {
  const sign = (key: string | Buffer, text: string) =>
    createHmac('sha256', key).update(text, 'utf8').digest();
  const hash = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
  const found = /SignedHeaders=([a-z\d;-]+), Signature=([\da-f]{64})$/.exec(
    headers.authorization ?? '',
  );
  const time = String(headers['x-amz-date']);
  if (!found?.[1]?.split(';').includes('host')) return false;
  let canonical = `POST\n${sesDialect.path}\n\n`;
  for (const name of found[1].split(';')) canonical += `${name}:${String(headers[name])}\n`;
  canonical += `\n${found[1]}\n${hash(raw)}`;
  const day = time.slice(0, 8);
  const scope = `${day}/${sesAccount.region}/ses/aws4_request`;
  let key = sign(`AWS4${secret}`, day);
  key = sign(key, sesAccount.region);
  key = sign(key, 'ses');
  key = sign(key, 'aws4_request');
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash(canonical)}`;
  return sign(key, text).toString('hex') === found[2];
}
