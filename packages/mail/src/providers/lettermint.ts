import { DAY_MS, checkNames } from '@sendonce/core/ledger';
import { keyHeader } from './idempotency-key.ts';
import { mailboxBody } from './mailbox-body.ts';
import {
  checkProviderOptions,
  checkWindow,
  type KeyedProviderOptions,
  KEYED_OPTION_NAMES,
} from './provider-options.ts';
import { providerTransport, type ProviderTransport } from './provider-transport.ts';
import { supportsEverything, type Provider } from './provider.ts';
import { field, readMessageId } from './read-answer.ts';

/**
 * A nodemailer transport for Lettermint's API (`POST /v1/send`). Under a claim it sends the claim's
 * key in the header `Idempotency-Key`, and Lettermint answers a second request with it by the first
 * one's id. It compares the content. An email that Lettermint suppresses is `rejected`.
 *
 * Its documentation exists in two editions: other content is a 422, or a 409 beside a request in
 * progress. A 409 is therefore told apart by its error code only; without a known one the outcome
 * is unknown.
 *
 * Built from Lettermint's documentation as it was in November 2026 and tested against a local
 * server that behaves as it says; never run against a live account.
 *
 * @example
 * const transporter = createTransport(lettermintTransport({ apiKey: process.env.LETTERMINT_TOKEN ?? '' }))
 * @throws {OptionError} which never shows the API key.
 */
export function lettermintTransport(options: KeyedProviderOptions): ProviderTransport {
  checkNames('lettermintTransport()', options, KEYED_OPTION_NAMES);
  const settings = checkProviderOptions(options, 'https://api.lettermint.co/v1/send');
  const windowMs = checkWindow(options, DAY_MS);
  return providerTransport(lettermint(settings.apiKey), settings, windowMs);
}

function lettermint(apiKey: string): Provider {
  return {
    name: 'Lettermint',
    supports: supportsEverything,
    request: (email, key) => ({
      headers: {
        'x-lettermint-token': apiKey,
        ...keyHeader(key),
      },
      body: mailboxBody(email),
    }),
    accepted: ({ json }) =>
      field(json, 'status') === 'suppressed'
        ? { state: 'rejected', code: 'suppressed' }
        : readMessageId(field(json, 'message_id')),
    providerCode: ({ json }) => {
      const code = field(json, 'error_type') ?? field(json, 'error') ?? field(json, 'code');
      // The older edition says it by a sentence alone.
      const used = /idempotency key has already been used/i.test(String(field(json, 'message')));
      return code ?? (used ? 'idempotency_key_reused' : undefined);
    },
    keyAnswer: (status, code = '') => {
      if (status === 409 && /concurrent|progress/.test(code)) return 'in-progress';
      return /^(invalid_idempoten|idempotency_)/.test(code) ? 'conflict' : undefined;
    },
  };
}
