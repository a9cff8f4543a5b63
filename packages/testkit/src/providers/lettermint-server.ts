import type { Dialect } from './provider-server.ts';

/** Lettermint, as documented: header `Idempotency-Key`, 24 hours, 202 with the same id. */
export const lettermintDialect: Dialect = {
  path: '/v1/send',
  apiKey: 'lm_secret_of_the_shop',
  apiKeyOf: (headers) => headers['x-lettermint-token'] as string | undefined,
  keyOf: ({ headers }) => headers['idempotency-key'] as string | undefined,
  windowMs: 24 * 3_600_000,
  check: ({ body: { from, to, subject } }) =>
    from && to && subject ? undefined : { status: 422, body: lettermintDialect.error(422) },
  accepted: (id) => ({ status: 202, body: { message_id: id, status: 'pending' } }),
  repeated: ({ id }) => lettermintDialect.accepted(id),
  // The older edition of its documentation, word for word.
  conflict: {
    status: 422,
    body: {
      message:
        'This idempotency key has already been used on a request with a different payload. Retrying this request requires changing the idempotency key or payload.',
    },
  },
  // The newer one.
  inProgress: { status: 409, body: { error: 'concurrent_idempotent_requests', message: '' } },
  error: () => ({ message: 'no: customer@customer.example', errors: {} }),
};
