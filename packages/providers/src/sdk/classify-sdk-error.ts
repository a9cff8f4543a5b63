import { isSendonceError, type Verdict } from '@sendonce/core';
import { type OutcomeState, toVerdict } from '../outcome.ts';
import { brevoSdk } from './brevo-sdk.ts';
import { mailgunSdk } from './mailgun-sdk.ts';
import { postmarkSdk } from './postmark-sdk.ts';
import { resendSdk } from './resend-sdk.ts';
import type { SdkAdapter } from './sdk-adapter.ts';
import { sendGridSdk } from './sendgrid-sdk.ts';
import { sesSdk } from './ses-sdk.ts';

/**
 * Tells what an error of a provider's SDK means, as `classify` of `once()` and `perform()` in the
 * default mode: for processors that stay as they are. It knows the errors of the SDKs of Resend,
 * Brevo, SendGrid, Postmark, SES and Mailgun. {@link sendWith} knows more, and sees the results as
 * well.
 *
 * 401, 402, 403, 404, 429 and a connection that was not made are `refused` or `not-sent`: the job
 * is retried. Another 4xx with the provider's JSON is `rejected`. A 5xx, a reset, a timeout and an
 * answer that was cut off stay in doubt.
 *
 * **The email must be the last request of the processor.** The error of a later request of the same
 * SDK would be treated as that of the email, and the email would be sent again. So errors that any
 * other program may have thrown stay in doubt: the plain errors of Node, `fetch`, axios and got (a
 * database that is down after the email has the same `ECONNREFUSED`).
 *
 * Resend's SDK resolves with `{ error }` and does not throw, and the email is recorded as sent. Use
 * `sendWith()`, or throw the error: `if (error) throw error`.
 *
 * @returns undefined if the error proves nothing.
 *
 * @example once(processor, { ledger, key, classify: classifySdkError })
 */
export function classifySdkError(error: unknown): Verdict | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  try {
    const verdict = toVerdict(readState(error));
    // "Sent" would let the attempt fail after all; a person, or a replay, finds it out.
    return verdict === 'unknown' || verdict === 'sent' ? undefined : verdict;
  } catch {
    // A proxy, or a getter that throws.
    return undefined;
  }
}

function readState(error: object): OutcomeState {
  if (isSendonceError(error, 'SENDONCE_PROVIDER')) {
    return (error as { readonly outcome?: OutcomeState }).outcome ?? 'unknown';
  }
  return adapterOf(error)?.readError(error, true).state ?? 'unknown';
}

/**
 * The names of Resend's errors (https://resend.com/docs/api-reference/errors). Other programs have
 * names of this form, too: `invalid_token` of OAuth.
 */
const resendNames: ReadonlySet<unknown> = new Set([
  'application_error',
  'concurrent_idempotent_requests',
  'daily_quota_exceeded',
  'internal_server_error',
  'invalid_access',
  'invalid_api_key',
  'invalid_attachment',
  'invalid_from_address',
  'invalid_idempotency_key',
  'invalid_idempotent_request',
  'invalid_parameter',
  'invalid_region',
  'method_not_allowed',
  'missing_api_key',
  'missing_required_field',
  'monthly_quota_exceeded',
  'not_found',
  'rate_limit_exceeded',
  'restricted_api_key',
  'security_error',
  'validation_error',
]);

/** The SDK that throws such errors. Other programs may throw errors of a similar shape. */
function adapterOf(error: object): SdkAdapter | undefined {
  const { type, name, code, config, statusCode } = error as Record<string, unknown>;
  const classes = classNames(error);
  // Without an answer, the errors of all clients of AWS look alike: those of DynamoDB or S3, too.
  if (classes.includes('SESv2ServiceException')) return sesSdk;
  if (classes.includes('BrevoError')) return brevoSdk;
  if (type === 'MailgunAPIError') return mailgunSdk;
  if (classes.includes('ResponseError') && typeof code === 'number') return sendGridSdk;
  if (classes.includes('PostmarkError')) return postmarkSdk;
  if (resendNames.has(name) && statusCode !== undefined) return resendSdk;
  // The error of axios, if the request was SendGrid's.
  const { url } = (config ?? {}) as { readonly url?: unknown };
  return url === '/v3/mail/send' ? sendGridSdk : undefined;
}

/** The names, because two copies of an SDK may be loaded. */
function classNames(error: object): string[] {
  const names: string[] = [];
  for (let one: object | null = error; one !== null; one = Object.getPrototypeOf(one)) {
    names.push(one.constructor?.name);
  }
  return names;
}
