import type { Dialect, Reply } from './provider-server.ts';

/** The 409 for a key that was used. `null`: the first request has not been answered. */
function reused(originalStatusCode: number | null): Reply {
  const details = { originalRequest: 'POST /v1/send', originalStatusCode };
  const error = { code: 'IDEMPOTENCY_KEY_REUSED', message: 'used', statusCode: 409, details };
  return { status: 409, body: { success: false, error } };
}

/**
 * Plunk, as documented and as its source has it: header `Idempotency-Key`, 24 hours, a 409 for
 * every key that was used, a 4xx frees the key, a 5xx keeps it.
 */
export const plunkDialect: Dialect = {
  path: '/v1/send',
  apiKey: 'sk_secret_of_the_shop',
  apiKeyOf: ({ authorization }) => authorization?.replace(/^Bearer /, ''),
  keyOf: ({ headers }) => headers['idempotency-key'] as string | undefined,
  windowMs: 24 * 3_600_000,
  keepsKeyAfterError: true,
  check: ({ body: { to, from, subject, body, template } }) =>
    to && ((from && subject && body) || template)
      ? undefined
      : { status: 422, body: plunkDialect.error(422) },
  accepted: (id) => ({
    status: 200,
    body: { success: true, data: { emails: [{ contact: { id: 'c' }, email: id }] } },
  }),
  repeated: ({ answeredWith = null }) => reused(answeredWith),
  inProgress: reused(null),
  error: (statusCode) => ({
    success: false,
    error: { code: 'VALIDATION_ERROR', message: 'no: customer@customer.example', statusCode },
  }),
};
