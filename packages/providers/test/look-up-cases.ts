import type { LedgerRecord, Resolver } from '@sendonce/core';
import {
  azureLookUp,
  brevoLookUp,
  type LookUpOptions,
  postmarkLookUp,
  sendGridLookUp,
} from '../src/index.ts';
import { toUuid } from '../src/idempotency-key.ts';
import {
  azureApiVersion,
  azureDialect,
  azureKeyOf,
} from '@sendonce/testkit/providers/azure-server';
import type { LookUpRequest } from '@sendonce/testkit/providers/look-up-server';
import type { Accepted, Reply } from '@sendonce/testkit/providers/provider-server';

export type Options = Partial<LookUpOptions> & { readonly notFoundAfterMs?: number };

/** How a provider's log answers: that it shows an email of the key, another email, or none. */
export interface LookUpCase {
  readonly name: string;
  readonly create: (origin: string, options?: Options) => Resolver;
  /** How many requests find an email. */
  readonly gets: number;
  /** The answer for the email with this key. */
  found(key: string, request: LookUpRequest): Reply;
  readonly none: Reply;
  /** Whether the request asks for this key, with the right to. */
  asks(request: LookUpRequest, key: string): boolean;
  /** The key under which the provider's own server took an email. */
  keyOf(email: Accepted): unknown;
}

const apiKey = 'secret-of-the-shop';
const json = (body: unknown): Reply => ({ status: 200, body });
const sendonce = (value: unknown) => (value as { sendonce?: unknown } | undefined)?.sendonce;

export const lookUps: readonly LookUpCase[] = [
  {
    name: 'Azure',
    create: (endpoint, options) =>
      azureLookUp({ endpoint, accessKey: azureDialect.apiKey, ...options }),
    gets: 1,
    found: (key) => json({ id: toUuid(key), status: 'Succeeded', error: null }),
    none: { status: 404, body: { error: { code: 'NotFound', message: 'no such operation' } } },
    asks({ path, query, headers }, key) {
      const url = `${path}?${query.toString()}`;
      const wanted = `/emails/operations/${toUuid(key)}?api-version=${azureApiVersion}`;
      return url === wanted && azureKeyOf('GET', url, headers) !== undefined;
    },
    keyOf: ({ headers }) => headers['operation-id'],
  },
  {
    name: 'Brevo',
    create: (origin, options) =>
      brevoLookUp({ apiKey, url: `${origin}/v3/smtp/statistics/events`, ...options }),
    gets: 1,
    found: (key) => json({ events: [{ event: 'requests', messageId: '<a@b>', tag: key }] }),
    none: json({ events: [] }),
    asks: ({ path, query, headers }, key) =>
      path === '/v3/smtp/statistics/events' &&
      query.get('tags') === JSON.stringify([key]) &&
      headers['api-key'] === apiKey,
    keyOf: ({ body }) => (body['tags'] as string[])[0],
  },
  {
    name: 'Postmark',
    create: (origin, options) =>
      postmarkLookUp({ apiKey, url: `${origin}/messages/outbound`, ...options }),
    gets: 1,
    found: (key) =>
      json({ TotalCount: 1, Messages: [{ Status: 'Sent', Metadata: { sendonce: key } }] }),
    none: json({ TotalCount: 0, Messages: [] }),
    asks: ({ path, query, headers }, key) =>
      path === '/messages/outbound' &&
      query.get('metadata_sendonce') === key &&
      headers['x-postmark-server-token'] === apiKey,
    keyOf: ({ body }) => sendonce(body['Metadata']),
  },
  {
    name: 'SendGrid',
    create: (origin, options) =>
      sendGridLookUp({ apiKey, url: `${origin}/v3/messages`, ...options }),
    gets: 2,
    found: (key, { path }) =>
      path === '/v3/messages'
        ? json({ messages: [{ msg_id: 'a/1', status: 'delivered' }] })
        : json({ msg_id: 'a/1', unique_args: JSON.stringify({ sendonce: key }) }),
    none: json({ messages: [] }),
    asks: ({ path, query, headers }, key) =>
      (path === '/v3/messages/a%2F1' ||
        (path === '/v3/messages' && query.get('query') === `(unique_args['sendonce']="${key}")`)) &&
      headers.authorization === `Bearer ${apiKey}`,
    keyOf: ({ body }) => sendonce(body['custom_args']),
  },
];

export function doubt(key: string, agoMs = 0): { readonly record: LedgerRecord } {
  return { record: { key, state: 'in-doubt', token: 'a token', atMs: Date.now() - agoMs } };
}
