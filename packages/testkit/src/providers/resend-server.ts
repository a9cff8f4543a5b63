import type { Dialect } from './provider-server.ts';

const names: Readonly<Record<number, string>> = {
  401: 'missing_api_key',
  403: 'invalid_api_key',
  404: 'not_found',
  429: 'rate_limit_exceeded',
  500: 'application_error',
};

function errorBody(status: number, name: string): object {
  return { statusCode: status, name, message: 'no: customer@customer.example' };
}

/** Resend, as documented: header `Idempotency-Key`, 24 hours, the same answer, two kinds of 409. */
export const resendDialect: Dialect = {
  path: '/emails',
  apiKey: 're_secret_of_the_shop',
  apiKeyOf: ({ authorization }) => authorization?.replace(/^Bearer /, ''),
  keyOf: ({ headers }) => headers['idempotency-key'] as string | undefined,
  windowMs: 24 * 3_600_000,
  check(request) {
    const key = resendDialect.keyOf(request);
    if (key !== undefined && (key.length === 0 || key.length > 256)) {
      return { status: 400, body: errorBody(400, 'invalid_idempotency_key') };
    }
    const { from, to, html, text, template } = request.body;
    if (from && to && (html ?? text) && !template) return undefined;
    if (to && template && !html && !text) return undefined;
    return { status: 422, body: errorBody(422, 'missing_required_field') };
  },
  accepted: (id) => ({ status: 200, body: { id } }),
  repeated: ({ id }) => ({ status: 200, body: { id } }),
  conflict: { status: 409, body: errorBody(409, 'invalid_idempotent_request') },
  inProgress: { status: 409, body: errorBody(409, 'concurrent_idempotent_requests') },
  error: (status) => errorBody(status, names[status] ?? 'validation_error'),
};
