import type { Dialect } from './provider-server.ts';

/** Postmark, as documented: no idempotency key. */
export const postmarkDialect: Dialect = {
  path: '/email',
  apiKey: 'postmark-secret-of-the-shop',
  apiKeyOf: (headers) => headers['x-postmark-server-token'] as string | undefined,
  keyOf: () => undefined,
  windowMs: 0,
  templatePath: '/email/withTemplate',
  check: ({ path, body: { From, To, TemplateId, TemplateAlias, TemplateModel } }) => {
    const isWhole = From && To && Boolean(TemplateId ?? TemplateAlias) === Boolean(TemplateModel);
    const isThere = (path === postmarkDialect.templatePath) === Boolean(TemplateModel);
    return isWhole && isThere ? undefined : { status: 422, body: postmarkDialect.error(422) };
  },
  accepted: (id) => ({
    status: 200,
    body: { To: 'customer@customer.example', MessageID: id, ErrorCode: 0, Message: 'OK' },
  }),
  repeated: ({ id }) => postmarkDialect.accepted(id),
  error: () => ({ ErrorCode: 300, Message: 'no: customer@customer.example' }),
};
