import type { Outcome } from '../outcome.ts';
import { readAnswer } from '../read-answer.ts';
import { sesAnswers } from '../ses.ts';
import { isStatus, readNoAnswer, type SdkAdapter, toAnswer } from './sdk-adapter.ts';

/**
 * Reads the results of AWS's SDK (`@aws-sdk/client-sesv2` 3), for {@link sendWith}. SES has no
 * idempotency key and no look-up. Set the tag `sendonce`, which the events of a configuration set
 * contain.
 *
 * Create the client with `maxAttempts: 1`. By default the SDK makes up to three requests, also if
 * SES had accepted the email: two or three emails, and one "sent". A refusal of a later attempt
 * proves nothing about the first one, so it is a doubt.
 *
 * Tested with `@aws-sdk/client-sesv2` 3.1176.0 against a local server. Source: `$metadata` of the
 * SDK's results and errors.
 *
 * @example
 * const ses = new SESv2Client({ region, maxAttempts: 1 });
 * await sendWith(sesSdk, ({ idempotencyKey }) =>
 *   ses.send(
 *     new SendEmailCommand({ ...email, EmailTags: [{ Name: 'sendonce', Value: idempotencyKey }] }),
 *   ),
 * );
 */
export const sesSdk: SdkAdapter = {
  name: sesAnswers.name,
  readResult: (result, keyed) => readAnswer(sesAnswers, toAnswer(200, result), { keyed }),
  readError(error, keyed) {
    const outcome = readSesError(error as SesError, keyed);
    const attempts = (error as SesError).$metadata?.attempts ?? 1;
    return attempts === 1 ? outcome : { ...outcome, state: 'unknown', code: 'repeated' };
  },
};

interface SesError {
  readonly name?: unknown;
  readonly $fault?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown; readonly attempts?: number };
  readonly $response?: { readonly headers?: unknown };
}

function readSesError(error: SesError, keyed: boolean): Outcome {
  const { name, $fault, $metadata, $response } = error;
  const status = $metadata?.httpStatusCode;
  if (!isStatus(status)) {
    // No credentials were found, so no request was signed.
    if (name === 'CredentialsProviderError') return { state: 'not-sent', code: name };
    return readNoAnswer(error);
  }
  // An answer that is not SES's JSON has no fault, or no name.
  const json = $fault === undefined || name === 'Unknown' ? undefined : { __type: name };
  return readAnswer(sesAnswers, toAnswer(status, json, $response?.headers), { keyed });
}
