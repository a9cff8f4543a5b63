import { postmarkAnswers } from '../postmark.ts';
import { readAnswer } from '../read-answer.ts';
import { isStatus, NO_ANSWER, readNoAnswer, type SdkAdapter, toAnswer } from './sdk-adapter.ts';

/**
 * Reads the results of Postmark's SDK (`postmark` 4 and 5), for {@link sendWith}. Postmark has no
 * idempotency key. Set `Metadata: { sendonce: idempotencyKey }`, by which {@link postmarkLookUp}
 * finds the email. Send one email for each call, not a batch.
 *
 * The SDK does not tell a connection that was refused from an answer that was lost; `sendWith()`
 * finds it out from Node's diagnostics channels. The SDK does not show `Retry-After`.
 *
 * Tested with `postmark` 5.1.0 against a local server. Source: the SDK's `FetchHttpClient`.
 *
 * @example
 * await sendWith(postmarkSdk, ({ idempotencyKey }) =>
 *   postmark.sendEmail({ ...email, Metadata: { sendonce: idempotencyKey } }),
 * );
 */
export const postmarkSdk: SdkAdapter = {
  name: postmarkAnswers.name,
  readResult: (result, keyed) => readAnswer(postmarkAnswers, toAnswer(200, result), { keyed }),
  readError(error, keyed) {
    const { statusCode, code } = error as {
      readonly statusCode?: unknown;
      readonly code?: unknown;
    };
    if (!isStatus(statusCode)) return { ...readNoAnswer(error), code: NO_ANSWER };
    // The code is 0 if the answer is not Postmark's JSON.
    const json = code === 0 ? undefined : { ErrorCode: code };
    return readAnswer(postmarkAnswers, toAnswer(statusCode, json), { keyed });
  },
};
