import type { Email, EmailAddress } from './email.ts';
import { mailbox } from './mailbox.ts';
import {
  checkProviderOptions,
  checkWindow,
  type KeyedProviderOptions,
} from './provider-options.ts';
import { providerTransport, type ProviderTransport } from './provider-transport.ts';
import type { Provider } from './provider.ts';
import { field, idOf } from './read-answer.ts';

const DAY_MS = 86_400_000;

/**
 * A nodemailer transport for Lettermint's API (`POST /v1/send`). Under a claim it sends the claim's key
 * in the header `Idempotency-Key`, and Lettermint answers a second request with it by the first one's
 * id. It compares the content. An email that Lettermint suppresses is `rejected`.
 *
 * Its documentation exists in two editions: other content is a 422, or a 409 beside a request in
 * progress. A 409 is therefore told apart by its error code only; without a known one nobody knows.
 *
 * Built from Lettermint's documentation as it was in November 2026 and tested against a local server that
 * behaves as it says; never run against a live account.
 *
 * @example
 * const transporter = createTransport(lettermintTransport({ apiKey: process.env.LETTERMINT_TOKEN ?? '' }))
 * @throws {OptionError} which never shows the API key.
 */
export function lettermintTransport(options: KeyedProviderOptions): ProviderTransport {
  const settings = checkProviderOptions(options, 'https://api.lettermint.co/v1/send');
  const windowMs = checkWindow(options.windowMs ?? DAY_MS, DAY_MS);
  return providerTransport(lettermint(settings.apiKey), settings, windowMs);
}

function lettermint(apiKey: string): Provider {
  return {
    name: 'Lettermint',
    carries: {
      severalRecipients: true,
      replyTo: 'several',
      headers: true,
      attachments: true,
      inlineImages: true,
    },
    request: (email, key) => ({
      headers: {
        'x-lettermint-token': apiKey,
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      body: bodyOf(email),
    }),
    accepted: ({ json }) =>
      field(json, 'status') === 'suppressed'
        ? { state: 'rejected', code: 'suppressed' }
        : idOf(field(json, 'message_id')),
    errorCode: ({ json }) => {
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

function bodyOf(email: Email): object {
  const { from, to, cc, bcc, replyTo, subject, html, text, headers, attachments } = email;
  const list = (addresses: readonly EmailAddress[]) => addresses.map(mailbox);
  return {
    from: mailbox(from),
    to: list(to),
    ...(cc.length > 0 && { cc: list(cc) }),
    ...(bcc.length > 0 && { bcc: list(bcc) }),
    ...(replyTo.length > 0 && { reply_to: list(replyTo) }),
    subject,
    ...(html !== undefined && { html }),
    ...(text !== undefined && { text }),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(attachments.length > 0 && {
      attachments: attachments.map(({ filename, content, contentType, cid }) => ({
        filename,
        content,
        content_type: contentType,
        ...(cid !== undefined && { content_id: cid }),
      })),
    }),
  };
}
