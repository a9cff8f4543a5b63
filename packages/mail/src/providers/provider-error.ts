import { SendonceError } from '@sendonce/core';
import { type Outcome, type OutcomeState, toMayHaveLeft } from './outcome.ts';

/**
 * A provider transport did not get its email away, or does not know. It never holds the API key, an
 * address, the content or the provider's own message. Its `code` is `SENDONCE_PROVIDER`.
 */
export class ProviderError extends SendonceError {
  override readonly name = 'ProviderError';
  /** `Brevo`, `Resend`, … */
  readonly provider: string;
  readonly outcome: OutcomeState;
  /** Of the HTTP answer; undefined where none came. */
  readonly status: number | undefined;
  /** The provider's error name, or the network's error code. */
  readonly reason: string | undefined;
  /** How long the provider wants to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(provider: string, outcome: Outcome, message: string) {
    super('SENDONCE_PROVIDER', toMayHaveLeft(outcome.state), message);
    this.provider = provider;
    this.outcome = outcome.state;
    this.status = outcome.status;
    this.reason = outcome.code;
    this.retryAfterMs = outcome.retryAfterMs;
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

/** @internal What an outcome other than sent means, and what to do next. */
export function toProviderError(provider: string, outcome: Outcome): ProviderError {
  const { status, code } = outcome;
  const known = [status, code].filter((part) => part !== undefined).join(', ');
  return new ProviderError(
    provider,
    outcome,
    `${provider}${known && ` (${known})`}: ${explainOutcome(outcome)}`,
  );
}

function explainOutcome(outcome: Outcome): string {
  switch (outcome.state) {
    case 'sent':
    case 'sent-already':
      return 'the email was sent.';
    case 'in-progress':
      return (
        'an earlier request with the same idempotency key is still being processed. The email may have left. ' +
        'Ask again later with the same key.'
      );
    case 'conflict':
      return (
        'the idempotency key belongs to an email with other content, which may have left. This one was not ' +
        'sent. Never take another key: find what differs between two attempts (a time or a random ' +
        'value in the template), and resolve the doubt.'
      );
    case 'rejected':
      return 'the email was refused for good and not sent. Correct the email, then send it under a key of its own.';
    case 'refused':
      return `the email was not sent. ${remedyFor(outcome)}`;
    case 'not-sent':
      return 'no connection was made, so the email was not sent. Check the network and "url"; a retry is safe.';
    case 'unknown':
      return (
        'the answer was lost or cannot be read. The email may have left and is not sent again on a guess: look it ' +
        'up at the provider, then resolve the doubt.'
      );
  }
}

function remedyFor({ status, retryAfterMs }: Outcome): string {
  if (status === 401 || status === 403) {
    return (
      'The API key is not accepted, or may not send this email (is the sender domain verified?): fix the ' +
      'API key and retry.'
    );
  }
  if (status === 402) return 'The account has no credit left: add credit and retry.';
  if (status === 404 || status === 405) {
    return 'There is no such API at "url": fix "url" and retry.';
  }
  const when = retryAfterMs === undefined ? 'later' : `in ${retryAfterMs} ms`;
  return `The provider accepts no more emails now: retry ${when}.`;
}
