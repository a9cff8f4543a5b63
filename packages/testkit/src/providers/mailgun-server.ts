import type { Dialect } from './provider-server.ts';

const apiKey = 'mailgun-secret-of-the-shop';

/** Mailgun, as documented: a form, basic authentication, no idempotency key. */
export const mailgunDialect: Dialect = {
  path: '/v3/shop.example/messages',
  apiKey,
  apiKeyOf: ({ authorization }) =>
    Buffer.from(authorization?.replace(/^Basic /, '') ?? '', 'base64')
      .toString()
      .replace(/^api:/, ''),
  keyOf: () => undefined,
  windowMs: 0,
  check: ({ body: { from, to, text, html } }) =>
    from && to && (text ?? html) ? undefined : { status: 400, body: mailgunDialect.error(400) },
  accepted: (id) => ({
    status: 200,
    body: { id: `<${id}@shop.example>`, message: 'Queued. Thank you.' },
  }),
  repeated: ({ id }) => mailgunDialect.accepted(id),
  error: () => ({ message: 'no: customer@customer.example' }),
};
