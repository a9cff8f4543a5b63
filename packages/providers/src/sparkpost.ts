import { DAY_MS, checkNames } from '@sendonce/core/ledger';
import { keyHeader } from './idempotency-key.ts';
import type { Email } from './email.ts';
import { contact } from './mailbox.ts';
import { type Outcome } from './outcome.ts';
import type { HttpAnswer } from './post-once.ts';
import { cannotCarry } from './provider-error.ts';
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
 * Returns a nodemailer transport for SparkPost's API (`POST /api/v1/transmissions`). Under a claim
 * it sends the claim's key in the header `Idempotency-Key`, and SparkPost repeats its first answer,
 * marked as such.
 *
 * An email may have one recipient, also outside of a claim, because SparkPost makes a separate
 * email for each. A text with `{{` is refused, because SparkPost would read it as a template.
 *
 * Written from SparkPost's documentation of November 2026 and tested against a local server that
 * behaves as it describes. It was never run against a live account.
 *
 * @example
 * const apiKey = process.env.SPARKPOST_API_KEY ?? '';
 * const transporter = createTransport(sparkPostTransport({ apiKey }));
 * @throws {OptionError} for a wrong option. The message never shows the API key.
 */
export function sparkPostTransport(options: KeyedProviderOptions): ProviderTransport {
  checkNames('sparkPostTransport()', options, KEYED_OPTION_NAMES);
  const settings = checkProviderOptions(options, 'https://api.sparkpost.com/api/v1/transmissions');
  const windowMs = checkWindow(options, DAY_MS);
  return providerTransport(sparkPost(settings.apiKey), settings, windowMs);
}

function sparkPost(apiKey: string): Provider {
  return {
    name: 'SparkPost',
    supports: { ...supportsEverything, severalRecipients: false, replyTo: 1 },
    request: (email, key) => ({
      headers: { authorization: apiKey, ...keyHeader(key) },
      body: buildBody(email),
    }),
    accepted,
    replayed: ({ headers }) => headers.get('x-idempotent-replayed') === 'true',
    providerCode: ({ json }) => {
      const errors = field(json, 'errors');
      return field(Array.isArray(errors) ? errors[0] : undefined, 'code');
    },
    keyAnswer: (_status, code) => {
      if (code === '1601') return 'in-progress';
      return code === '1600' ? 'conflict' : undefined;
    },
    // The account's sending limit.
    refusal: (status) => (status === 420 ? 'refused' : undefined),
  };
}

function accepted({ json }: HttpAnswer): { readonly messageId: string } | Outcome | undefined {
  const results = field(json, 'results');
  // A transmission has an id even if its only recipient was refused.
  if (field(results, 'total_accepted_recipients') === 0) {
    return { state: 'rejected', code: 'recipient_rejected' };
  }
  return readMessageId(field(results, 'id'));
}

function buildBody(email: Email): object {
  const { from, to, replyTo, subject, html, text, headers, attachments } = email;
  if (
    [subject, html, text, from.name, ...Object.values(headers)].some((part) => part?.includes('{{'))
  ) {
    throw cannotCarry('SparkPost', 'it contains "{{", which SparkPost reads as a template');
  }
  const files = attachments.filter(({ cid }) => cid === undefined);
  const images = attachments.filter(({ cid }) => cid !== undefined);
  return {
    recipients: to.map((one) => ({ address: contact(one) })),
    content: {
      from: contact(from),
      subject,
      ...(replyTo[0] && { reply_to: replyTo[0].address }),
      ...(Object.keys(headers).length > 0 && { headers }),
      ...(html !== undefined && { html }),
      ...(text !== undefined && { text }),
      ...(files.length > 0 && {
        attachments: files.map(({ filename, contentType, content }) => ({
          name: filename,
          type: contentType,
          data: content,
        })),
      }),
      ...(images.length > 0 && {
        inline_images: images.map(({ cid, contentType, content }) => ({
          name: cid,
          type: contentType,
          data: content,
        })),
      }),
    },
  };
}
