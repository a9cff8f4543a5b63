import type { Dialect } from './provider-server.ts';

const uuid = /^[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/**
 * Brevo, as documented: `headers.idempotencyKey` in the body, 15 minutes, `duplicate_parameter`.
 * Other content and a request in progress are not documented.
 */
export const brevoDialect: Dialect = {
  path: '/v3/smtp/email',
  apiKey: 'xkeysib-secret-of-the-shop',
  apiKeyOf: (headers) => headers['api-key'] as string | undefined,
  keyOf: ({ body }) => (body['headers'] as Record<string, string> | undefined)?.['idempotencyKey'],
  windowMs: 15 * 60_000,
  check(request) {
    const key = brevoDialect.keyOf(request);
    const { sender, to, subject, htmlContent, textContent, templateId } = request.body;
    if (key !== undefined && !uuid.test(key)) return { status: 400, body: brevoDialect.error(400) };
    if (to && typeof templateId === 'number') return undefined;
    if (sender && to && subject && (htmlContent ?? textContent)) return undefined;
    return { status: 400, body: { code: 'missing_parameter', message: 'a parameter is missing' } };
  },
  accepted: (id) => ({ status: 201, body: { messageId: `<${id}@smtp-relay.mailin.fr>` } }),
  repeated: () => ({
    status: 400,
    body: { code: 'duplicate_parameter', message: 'the key is used already' },
  }),
  error: (status) => ({
    code: status === 401 ? 'unauthorized' : 'invalid_parameter',
    message: 'no: customer@customer.example',
  }),
};
