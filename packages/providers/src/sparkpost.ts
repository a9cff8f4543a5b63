import { DAY_MS, checkNames } from '@sendonce/core/ledger';
import { keyHeader } from './idempotency-key.ts';
import type { Email, EmailAddress } from './email.ts';
import { encodedWords } from './encoded-word.ts';
import { contact, mailbox } from './mailbox.ts';
import type { HttpAnswer } from './post-once.ts';
import { cannotCarry } from './provider-error.ts';
import {
  checkProviderOptions,
  checkWindow,
  type KeyedProviderOptions,
  KEYED_OPTION_NAMES,
} from './provider-options.ts';
import { providerTransport, type ProviderTransport } from './provider-transport.ts';
import { type Accepted, supportsEverything, supportsTemplates, type Provider } from './provider.ts';
import { field, readMessageId } from './read-answer.ts';

/**
 * Returns a nodemailer transport for SparkPost's API (`POST /api/v1/transmissions`). Under a claim
 * it sends the claim's key in the header `Idempotency-Key`, and SparkPost repeats its first answer,
 * marked as such.
 *
 * SparkPost makes a separate message for each recipient. Each of them has the same To and Cc, by
 * the fields `header_to` and `CC`. A text with `{{` is refused, because SparkPost would read it as
 * a template.
 *
 * A `template` ({@link TemplateMessage}) is a stored one, by its id. `from`, `subject`, Cc,
 * Reply-To, headers and attachments are refused beside it, because SparkPost takes them from the
 * template.
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
    supports: { ...supportsEverything, replyTo: 1 },
    // The content of the request is the id alone.
    templates: {
      ...supportsTemplates,
      replyTo: 0,
      headers: false,
      attachments: false,
      from: 'refused',
    },
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

function accepted({ json }: HttpAnswer): Accepted {
  const results = field(json, 'results');
  // A transmission has an id even if its only recipient was refused.
  if (field(results, 'total_accepted_recipients') === 0) {
    return { state: 'rejected', code: 'recipient_rejected' };
  }
  const sent = readMessageId(field(results, 'id'));
  const refused = field(results, 'total_rejected_recipients');
  // The answer does not say which ones, so it may be those in To.
  if (sent && typeof refused === 'number' && refused > 0) {
    return { state: 'unknown', code: 'some_recipients_rejected', ...sent };
  }
  return sent;
}

/**
 * The recipients, each with the To of the email as the others see it. Cc is a header, and Bcc is in
 * neither.
 */
function buildRecipients({ to, cc, bcc }: Email): {
  readonly recipients: object[];
  readonly copied: Readonly<Record<string, string>>;
} {
  const [only, ...others] = [...to, ...cc, ...bcc];
  if (others.length === 0) return { recipients: [{ address: contact(only!) }], copied: {} };
  const list = (addresses: readonly EmailAddress[]) =>
    addresses.map(({ name, address }) => mailbox({ name: encodedWords(name), address })).join(', ');
  const headerTo = list(to);
  return {
    recipients: [only!, ...others].map(({ address }) => ({
      address: { email: address, header_to: headerTo },
    })),
    copied: cc.length > 0 ? { CC: list(cc) } : {},
  };
}

function buildBody(email: Email): object {
  const { from, to, cc, replyTo, subject, html, text, attachments, template } = email;
  const { recipients, copied } = buildRecipients(email);
  const headers = { ...email.headers, ...copied };
  const names = [from, ...to, ...cc].map(({ name }) => name);
  if (
    [subject, html, text, ...names, ...Object.values(headers)].some((part) => part?.includes('{{'))
  ) {
    throw cannotCarry('SparkPost', 'it contains "{{", which SparkPost reads as a template');
  }
  if (template) {
    if (cc.length > 0)
      throw cannotCarry('SparkPost', 'it has a template and a Cc, which is a header');
    return {
      recipients,
      content: { template_id: template.id },
      ...(template.variables && { substitution_data: template.variables }),
    };
  }
  const files = attachments.filter(({ cid }) => cid === undefined);
  const images = attachments.filter(({ cid }) => cid !== undefined);
  return {
    recipients,
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
