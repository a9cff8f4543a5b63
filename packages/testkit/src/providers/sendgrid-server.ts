import type { Dialect } from './provider-server.ts';

/** SendGrid, as documented: no idempotency key; 202 with an empty body and `X-Message-Id`. */
export const sendGridDialect: Dialect = {
  path: '/v3/mail/send',
  apiKey: 'SG.secret-of-the-shop',
  apiKeyOf: ({ authorization }) => authorization?.replace(/^Bearer /, ''),
  keyOf: () => undefined,
  windowMs: 0,
  check: ({ body: { from, personalizations, content, template_id } }) =>
    from && personalizations && (content ?? template_id)
      ? undefined
      : { status: 400, body: sendGridDialect.error(400) },
  accepted: (id) => ({ status: 202, headers: { 'x-message-id': id } }),
  repeated: ({ id }) => sendGridDialect.accepted(id),
  error: () => ({
    errors: [{ message: 'no: customer@customer.example', field: null, help: null }],
  }),
};
