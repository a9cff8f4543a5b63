import type { ProviderAnswers } from '../provider.ts';
import { field, readAnswer, readMessageId } from '../read-answer.ts';
import { isStatus, readNoAnswer, type SdkAdapter, toAnswer } from './sdk-adapter.ts';

const mailgunAnswers: ProviderAnswers = {
  name: 'Mailgun',
  accepted: ({ json }) => readMessageId(field(json, 'id')),
  // Its errors are sentences, without a code.
  providerCode: () => undefined,
};

/**
 * Reads the results of Mailgun's SDK (`mailgun.js` 9 to 14), for {@link sendWith}. Mailgun has no
 * idempotency key. Set `'v:sendonce': idempotencyKey`, which Mailgun's events contain.
 *
 * The SDK makes a "status 400" of a connection that was reset, of a timeout, and of a connection
 * that was refused. This adapter tells them apart: only the last one is "not sent".
 *
 * Tested with `mailgun.js` 14.0.1 against a local server. Source: the SDK's `Request` and
 * `APIError`.
 *
 * @example
 * await sendWith(mailgunSdk, ({ idempotencyKey }) =>
 *   mailgun.messages.create(domain, { ...email, 'v:sendonce': idempotencyKey }),
 * );
 */
export const mailgunSdk: SdkAdapter = {
  name: mailgunAnswers.name,
  readResult(result, keyed) {
    const status = field(result, 'status');
    return readAnswer(mailgunAnswers, toAnswer(isStatus(status) ? status : 200, result), { keyed });
  },
  readError(error, keyed) {
    const { status, message, details } = error as {
      readonly status?: unknown;
      readonly message?: unknown;
      readonly details?: unknown;
    };
    if (!isStatus(status)) return readNoAnswer(error);
    const text = typeof details === 'string' ? details : '';
    if (status === 400 && !/^bad request$/i.test(String(message))) {
      const neverLeft = /^(connect|getaddrinfo) E[A-Z_]+\b/.test(text);
      return { state: neverLeft ? 'not-sent' : 'unknown', code: readCode(message) };
    }
    // A page of a proxy, and an answer that was cut off.
    const isJson = text !== '' && !text.startsWith('<') && text !== 'stream has been aborted';
    return readAnswer(mailgunAnswers, toAnswer(status, isJson ? {} : undefined), { keyed });
  },
};

function readCode(message: unknown): string | undefined {
  return typeof message === 'string' && /^[A-Z][A-Z\d_]{1,39}$/.test(message) ? message : undefined;
}
