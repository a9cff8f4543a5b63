import type { Dialect } from './provider-server.ts';

const account = '6f6f6f6f-0000-4000-8000-000000000000';

/** AhaSend, as documented: header `Idempotency-Key`, 24 hours, marked replays, 422 and 409. */
export const ahaSendDialect: Dialect = {
  path: `/v2/accounts/${account}/messages/conversation`,
  apiKey: 'aha-sk-secret-of-the-shop',
  apiKeyOf: ({ authorization }) => authorization?.replace(/^Bearer /, ''),
  keyOf: ({ headers }) => headers['idempotency-key'] as string | undefined,
  windowMs: 24 * 3_600_000,
  check: ({ body: { from, to, subject } }) =>
    from && to && subject ? undefined : { status: 400, body: ahaSendDialect.error(400) },
  accepted: (id) => ({
    status: 202,
    body: { object: 'list', data: [{ object: 'message', id, status: 'queued', error: null }] },
  }),
  repeated: ({ id }) => ({
    ...ahaSendDialect.accepted(id),
    headers: { 'idempotent-replayed': 'true' },
  }),
  conflict: {
    status: 422,
    headers: { 'idempotent-replayed': 'false' },
    body: { message: 'the key was used with another body' },
  },
  inProgress: {
    status: 409,
    headers: { 'idempotent-replayed': 'false', 'retry-after': '1' },
    body: { message: 'A request with this idempotency key is already in progress' },
  },
  error: () => ({ message: 'no: customer@customer.example' }),
};
