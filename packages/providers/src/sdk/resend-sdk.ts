import type { Outcome } from '../outcome.ts';
import { field, readAnswer } from '../read-answer.ts';
import { resendAnswers } from '../resend.ts';
import { isStatus, NO_ANSWER, readNoAnswer, type SdkAdapter, toAnswer } from './sdk-adapter.ts';

/**
 * Reads the results of Resend's SDK (`resend` 3 to 6), for {@link sendWith}. Pass
 * `idempotencyKey` to the SDK: for 24 hours, Resend then treats a replay as the same email.
 *
 * The SDK does not throw: it resolves with `{ data: null, error }`, also for a wrong API key. Under
 * `once()` without `sendWith()`, such an email is recorded as sent. `sendWith()` throws instead.
 * The SDK does not tell a connection that was refused from an answer that was lost; `sendWith()`
 * finds it out from Node's diagnostics channels.
 *
 * Tested with `resend` 6.38.0 against a local server. Source: the SDK's `fetchRequest()`.
 *
 * @example
 * await sendWith(resendSdk, ({ idempotencyKey }) =>
 *   resend.emails.send(email, { idempotencyKey }),
 * );
 */
export const resendSdk: SdkAdapter = {
  name: resendAnswers.name,
  readResult(result, keyed) {
    const error = field(result, 'error');
    const headers = field(result, 'headers');
    if (error !== null && error !== undefined) return readFailure(error, headers, keyed);
    return readAnswer(resendAnswers, toAnswer(200, field(result, 'data'), headers), { keyed });
  },
  readError: (error, keyed) => readFailure(error, undefined, keyed),
};

function readFailure(error: unknown, headers: unknown, keyed: boolean): Outcome {
  const { statusCode, name } = error as { readonly statusCode?: unknown; readonly name?: unknown };
  if (!isStatus(statusCode)) return { ...readNoAnswer(error), code: NO_ANSWER };
  // The SDK makes this one itself where the answer is not Resend's JSON.
  const json = name === 'application_error' ? undefined : { name };
  return readAnswer(resendAnswers, toAnswer(statusCode, json, headers), { keyed });
}
