import { brevoAnswers } from '../brevo.ts';
import { field, readAnswer } from '../read-answer.ts';
import { isStatus, NO_ANSWER, readNoAnswer, type SdkAdapter, toAnswer } from './sdk-adapter.ts';

/**
 * Reads the results of Brevo's SDK (`@getbrevo/brevo` 4 to 6), for {@link sendWith}. Pass `uuid` as
 * `idempotencyKey` in the `headers` of the email: for 15 minutes, Brevo then treats a replay as the
 * same email.
 *
 * Create the client with `maxRetries: 0`. By default the SDK repeats a request after 408, 429 and
 * 5xx, also if Brevo had accepted the email: two or three emails, and one "sent".
 *
 * Tested with `@getbrevo/brevo` 6.0.3 against a local server. Source: the SDK's
 * `requestWithRetries()`.
 *
 * @example
 * const brevo = new BrevoClient({ apiKey, maxRetries: 0 });
 * await sendWith(brevoSdk, ({ uuid }) =>
 *   brevo.transactionalEmails.sendTransacEmail({ ...email, headers: { idempotencyKey: uuid } }),
 * );
 */
export const brevoSdk: SdkAdapter = {
  name: brevoAnswers.name,
  readResult(result, keyed) {
    // With withRawResponse(), the result is in `data`.
    const json = field(result, 'rawResponse') === undefined ? result : field(result, 'data');
    return readAnswer(brevoAnswers, toAnswer(201, json), { keyed });
  },
  readError(error, keyed) {
    const { statusCode, body, rawResponse, cause } = error as {
      readonly statusCode?: unknown;
      readonly body?: unknown;
      readonly rawResponse?: { readonly headers?: unknown };
      readonly cause?: unknown;
    };
    if (isStatus(statusCode)) {
      return readAnswer(brevoAnswers, toAnswer(statusCode, body, rawResponse?.headers), { keyed });
    }
    // The cause is the error of fetch, or the text "timeout".
    return cause instanceof Error ? readNoAnswer(cause) : { state: 'unknown', code: NO_ANSWER };
  },
};
