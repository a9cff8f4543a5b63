import type { Dialect } from './provider-server.ts';

function errors(code: string): object {
  return { errors: [{ message: 'no: customer@customer.example', code, description: '' }] };
}

/**
 * SparkPost, as documented: header `Idempotency-Key`, 24 hours, marked replays, codes 1600 to 1602.
 */
export const sparkPostDialect: Dialect = {
  path: '/api/v1/transmissions',
  apiKey: 'sparkpost-secret-of-the-shop',
  apiKeyOf: ({ authorization }) => authorization,
  keyOf: ({ headers }) => headers['idempotency-key'] as string | undefined,
  windowMs: 24 * 3_600_000,
  check(request) {
    const key = sparkPostDialect.keyOf(request);
    if (key !== undefined && !/^[\w.-]{1,255}$/.test(key))
      return { status: 400, body: errors('1602') };
    const { recipients, content } = request.body;
    return recipients && content ? undefined : { status: 422, body: errors('1400') };
  },
  accepted: (id) => ({
    status: 200,
    body: { results: { total_rejected_recipients: 0, total_accepted_recipients: 1, id } },
  }),
  repeated: ({ id }) => ({
    ...sparkPostDialect.accepted(id),
    headers: { 'x-idempotent-replayed': 'true' },
  }),
  conflict: { status: 409, body: errors('1600') },
  inProgress: { status: 409, body: errors('1601') },
  error: () => errors('1400'),
};
