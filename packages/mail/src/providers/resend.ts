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
 * A nodemailer transport for Resend's API (`POST /emails`). Under a claim it sends the claim's key in
 * the header `Idempotency-Key`, and Resend answers a second request with it by the first one's id. It
 * compares the content: a template that puts a time into the email makes a conflict.
 *
 * Resend's answer does not say that it is a repetition, so such an email is simply `sent`.
 *
 * Built from Resend's documentation as it was in November 2026 and tested against a local server that
 * behaves as it says; never run against a live account.
 *
 * @example
 * const transporter = createTransport(resendTransport({ apiKey: process.env.RESEND_API_KEY ?? '' }))
 * @throws {OptionError} which never shows the API key.
 */
export function resendTransport(options: KeyedProviderOptions): ProviderTransport {
  const settings = checkProviderOptions(options, 'https://api.resend.com/emails');
  const windowMs = checkWindow(options.windowMs ?? DAY_MS, DAY_MS);
  return providerTransport(resend(settings.apiKey), settings, windowMs);
}

function resend(apiKey: string): Provider {
  return {
    name: 'Resend',
    carries: {
      severalRecipients: true,
      replyTo: 'several',
      headers: true,
      attachments: true,
      inlineImages: true,
    },
    request: (email, key) => ({
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      body: bodyOf(email),
    }),
    accepted: ({ json }) => idOf(field(json, 'id')),
    errorCode: ({ json }) => field(json, 'name'),
    keyAnswer: (_status, code) => {
      if (code === 'concurrent_idempotent_requests') return 'in-progress';
      return code === 'invalid_idempotent_request' ? 'conflict' : undefined;
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
