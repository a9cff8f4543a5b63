import { field, readAnswer } from '../read-answer.ts';
import { sendGridAnswers } from '../sendgrid.ts';
import { isStatus, readNoAnswer, type SdkAdapter, toAnswer } from './sdk-adapter.ts';

/**
 * Reads the results of SendGrid's SDK (`@sendgrid/mail` 7 and 8), for {@link sendWith}. SendGrid
 * has no idempotency key. Set `customArgs: { sendonce: idempotencyKey }`, by which
 * {@link sendGridLookUp} finds the email. Send one email for each call, not a list.
 *
 * Set a timeout (`sgMail.setTimeout(60_000)`): the SDK has none.
 *
 * Tested with `@sendgrid/mail` 8.1.6 against a local server. Source: the SDK's `request()`.
 *
 * @example
 * await sendWith(sendGridSdk, ({ idempotencyKey }) =>
 *   sgMail.send({ ...email, customArgs: { sendonce: idempotencyKey } }),
 * );
 */
export const sendGridSdk: SdkAdapter = {
  name: sendGridAnswers.name,
  readResult(result, keyed) {
    const response: unknown = Array.isArray(result) ? result[0] : undefined;
    const { statusCode, body, headers } = (response ?? {}) as {
      readonly statusCode?: unknown;
      readonly body?: unknown;
      readonly headers?: unknown;
    };
    if (!isStatus(statusCode)) return { state: 'unknown', code: 'unreadable' };
    return readAnswer(sendGridAnswers, toAnswer(statusCode, body, headers), { keyed });
  },
  readError(error, keyed) {
    const { code, response } = error as { readonly code?: unknown; readonly response?: unknown };
    // An error of axios has a text as its code. Its answer is a redirect, or is incomplete.
    if (!isStatus(code)) return readNoAnswer(error);
    const answer = toAnswer(code, field(response, 'body'), field(response, 'headers'));
    return readAnswer(sendGridAnswers, answer, { keyed });
  },
};
