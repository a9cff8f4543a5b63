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
 * Returns a nodemailer transport for Lettermint's API (`POST /v1/send`). Under a claim it sends the
 * claim's key in the header `Idempotency-Key`, and Lettermint answers a second request with the id
 * of the first one. Lettermint compares the content. An email that Lettermint suppresses is
 * `rejected`.
 *
 * Lettermint's documentation has two editions: other content is a 422 in one, and a 409 in the
 * other, like a request in progress. So a 409 is read by its error code only, and is `unknown`
 * without one.
 *
 * Written from Lettermint's documentation of November 2026 and tested against a local server that
 * behaves as it describes. It was never run against a live account.
 *
 * @example
 * const apiKey = process.env.LETTERMINT_TOKEN ?? '';
 * const transporter = createTransport(lettermintTransport({ apiKey }));
 * @throws {OptionError} for a wrong option. The message never shows the API key.
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
      // In the older edition, only the message says it.
      const used = /idempotency key has already been used/i.test(String(field(json, 'message')));
      return code ?? (used ? 'idempotency_key_reused' : undefined);
    },
    keyAnswer: (status, code = '') => {
      if (status === 409 && /concurrent|progress/.test(code)) return 'in-progress';
      return /^(invalid_idempoten|idempotency_)/.test(code) ? 'conflict' : undefined;
    },
  };
}
