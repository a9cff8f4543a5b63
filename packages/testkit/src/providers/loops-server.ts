import type { Dialect } from './provider-server.ts';

/** Loops, as documented: header `Idempotency-Key`, 24 hours, a 409 for every key that was used. */
export const loopsDialect: Dialect = {
  path: '/api/v1/transactional',
  apiKey: 'loops-secret-of-the-shop',
  apiKeyOf: ({ authorization }) => authorization?.replace(/^Bearer /, ''),
  keyOf: ({ headers }) => headers['idempotency-key'] as string | undefined,
  windowMs: 24 * 3_600_000,
  check: ({ body: { email, transactionalId } }) =>
    email && transactionalId ? undefined : { status: 400, body: loopsDialect.error(400) },
  accepted: () => ({ status: 200, body: { success: true } }),
  repeated: () => ({ status: 409, body: { success: false, message: 'the key is used already' } }),
  error: () => ({ success: false, message: 'no: customer@customer.example' }),
};
