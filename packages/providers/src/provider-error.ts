import { SendonceError } from '@sendonce/core';
import { type Outcome, type OutcomeState, toMayHaveLeft } from './outcome.ts';

/**
 * A provider transport or {@link sendWith} did not send its email, or does not know whether it was
 * sent: see `mayHaveLeft`. Its message never contains the API key, an address, the content or the
 * provider's own message. Its `code` is `SENDONCE_PROVIDER`.
 *
 * @example if (isSendonceError(error, 'SENDONCE_PROVIDER')) console.log(error.mayHaveLeft);
 */
export class ProviderError extends SendonceError {
  override readonly name = 'ProviderError';
  /** The name of the provider, such as `Brevo`. */
  readonly provider: string;
  /** The outcome of the request. */
  readonly outcome: OutcomeState;
  /** The status of the HTTP answer. Undefined if there was none. */
  readonly status: number | undefined;
  /** The error code of the provider or of the network, if it is a short identifier. */
  readonly reason: string | undefined;
  /** How long the provider asks to wait before a retry, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /**
   * What the SDK threw or resolved with, for {@link sendWith}. It may contain the API key, the
   * addresses and the content, so the property is not enumerable, and logs do not show it.
   */
  declare readonly sdkError: unknown;

  constructor(provider: string, outcome: Outcome, message: string, sdkError?: unknown) {
    super('SENDONCE_PROVIDER', toMayHaveLeft(outcome.state), message);
    this.provider = provider;
    this.outcome = outcome.state;
    this.status = outcome.status;
    this.reason = outcome.code;
    this.retryAfterMs = outcome.retryAfterMs;
    Object.defineProperty(this, 'sdkError', { value: sdkError });
  }
}

/** @internal The API cannot carry a part of the email. Nothing was sent. */
export function cannotCarry(provider: string, what: string): ProviderError {
  return new ProviderError(
    provider,
    { state: 'not-sent' },
    `The email was not sent: ${what}, which the ${provider} transport cannot carry. Leave it out, or send ` +
      'this email by SMTP.',
  );
}

/** @internal A part of the email is missing or invalid. Nothing was sent. */
export function incompleteEmail(provider: string, what: string): ProviderError {
  const message = `The email was not sent: ${what}. Correct the code that makes it.`;
  return new ProviderError(provider, { state: 'not-sent' }, message);
}

/** @internal The error of an outcome other than sent. It says what to do next. */
export function toProviderError(
  provider: string,
  outcome: Outcome,
  sdkError?: unknown,
): ProviderError {
  const { status, code } = outcome;
  const known = [status, code].filter((part) => part !== undefined).join(', ');
  return new ProviderError(
    provider,
    outcome,
    `${provider}${known && ` (${known})`}: ${explainOutcome(outcome)}`,
    sdkError,
  );
}

function explainOutcome(outcome: Outcome): string {
  switch (outcome.state) {
    case 'sent':
    case 'sent-already':
      return 'the email was sent.';
    case 'in-progress':
      return (
        'an earlier request with the same idempotency key is still being processed. The email may have been sent. ' +
        'Retry later with the same key.'
      );
    case 'conflict':
      return (
        'the idempotency key belongs to an email with other content, which may have been sent. This email was not ' +
        'sent. Do not use another key: find what differs between two attempts (a time or a random ' +
        'value in the template), then resolve the doubt.'
      );
    case 'rejected':
      return 'the email was rejected permanently and not sent. Correct the email, then send it under a new key.';
    case 'refused':
      return `the email was not sent. ${remedyFor(outcome)}`;
    case 'not-sent':
      return 'no connection was made, so the email was not sent. Check the network and the URL, then retry.';
    case 'unknown':
      return (
        `${explainUnknown(outcome)} The email may have been sent, so it is not sent again. Look it up at the ` +
        'provider, then resolve the doubt.'
      );
  }
}

function explainUnknown({ code }: Outcome): string {
  if (code === 'no-result') {
    return 'the call of sendWith() returned nothing: return the promise of the SDK.';
  }
  if (code === 'repeated') {
    return (
      'the SDK repeated the request, so its last answer proves nothing about the first one. Turn its retries off ' +
      '(Brevo "maxRetries: 0", AWS "maxAttempts: 1").'
    );
  }
  return 'the answer was lost or cannot be read.';
}

function remedyFor({ status, retryAfterMs }: Outcome): string {
  if (status === 401 || status === 403) {
    return (
      'The provider does not accept the API key, or the key may not send this email (check that the sender domain is ' +
      'verified). Fix the API key, then retry.'
    );
  }
  if (status === 402) return 'The account has no credit left. Add credit, then retry.';
  if (status === 404 || status === 405) {
    return 'There is no such API at the URL, or no such template. Fix it, then retry.';
  }
  const when = retryAfterMs === undefined ? 'later' : `in ${retryAfterMs} ms`;
  return `The provider accepts no more emails now. Retry ${when}.`;
}
