import { MINUTE_MS, checkNames } from '@sendonce/core/ledger';
import type { Email } from './email.ts';
import { contact } from './mailbox.ts';
import { toUuid } from './idempotency-key.ts';
import {
  checkProviderOptions,
  checkWindow,
  type KeyedProviderOptions,
  KEYED_OPTION_NAMES,
} from './provider-options.ts';
import { providerTransport, type ProviderTransport } from './provider-transport.ts';
import {
  type Capabilities,
  supportsEverything,
  supportsTemplates,
  type Provider,
  type ProviderAnswers,
} from './provider.ts';
import { field, readMessageId } from './read-answer.ts';

/**
 * Returns a nodemailer transport for Brevo's API (`POST /v3/smtp/email`). Under a claim it sends
 * the claim's key as `headers.idempotencyKey`, and Brevo refuses a second request with the same key
 * (`duplicate_parameter`). The key is also the email's tag, by which {@link brevoLookUp} finds it.
 *
 * `windowMs` is 15 minutes by default (Brevo's changelog) and at most 30 (Brevo's guide). If an
 * earlier request sent the email, the record has no id of Brevo, because the answer does not repeat
 * it. Attachments get their type from their file name. Inline images are refused.
 *
 * A `template` ({@link TemplateMessage}) is one of Brevo's, by its number. `from` and `subject` may
 * be left out; they replace those of the template. Brevo accepts a template that it cannot fill,
 * sends nothing, and reports it once a day (its changelog of 2020-11-09). It ignores attachments
 * beside a template in its old language.
 *
 * Written from Brevo's documentation of November 2026 and tested against a local server that
 * behaves as it describes. It was never run against a live account. Not documented: whether a
 * request that Brevo refused has used up its key.
 *
 * @example
 * const transporter = createTransport(brevoTransport({ apiKey: process.env.BREVO_API_KEY ?? '' }))
 * @throws {OptionError} for a wrong option. The message never shows the API key.
 */
export function brevoTransport(options: KeyedProviderOptions): ProviderTransport {
  checkNames('brevoTransport()', options, KEYED_OPTION_NAMES);
  const settings = checkProviderOptions(options, 'https://api.brevo.com/v3/smtp/email');
  const windowMs = checkWindow(options, 30 * MINUTE_MS, 15 * MINUTE_MS);
  return providerTransport(brevo(settings.apiKey), settings, windowMs);
}

const supports: Capabilities = { ...supportsEverything, replyTo: 1, inlineImages: false };

/** @internal */
export const brevoAnswers: ProviderAnswers = {
  name: 'Brevo',
  accepted: ({ json }) => readMessageId(field(json, 'messageId')),
  providerCode: ({ json }) => field(json, 'code'),
  keyAnswer: (_status, code) => (code === 'duplicate_parameter' ? 'sent-already' : undefined),
  refusal: (_status, code) => (code === 'not_enough_credits' ? 'refused' : undefined),
};

function brevo(apiKey: string): Provider {
  return {
    ...brevoAnswers,
    supports,
    templates: {
      ...supportsTemplates,
      ...supports,
      ids: ['number'],
      from: 'optional',
      subject: true,
    },
    request: (email, key) => ({ headers: { 'api-key': apiKey }, body: buildBody(email, key) }),
  };
}

function buildBody(email: Email, key: string | undefined): object {
  const { from, to, cc, bcc, replyTo, subject, html, text, attachments, template } = email;
  // The reference also spells it `Idempotency-Key`, which was measured not to be honoured
  // (brevo-node#94).
  const headers = { ...email.headers, ...(key !== undefined && { idempotencyKey: toUuid(key) }) };
  return {
    ...(from.address && { sender: contact(from) }),
    to: to.map(contact),
    ...(cc.length > 0 && { cc: cc.map(contact) }),
    ...(bcc.length > 0 && { bcc: bcc.map(contact) }),
    ...(replyTo[0] && { replyTo: contact(replyTo[0]) }),
    ...((subject || !template) && { subject }),
    ...(template && { templateId: template.id }),
    ...(template?.variables && { params: template.variables }),
    ...(html !== undefined && { htmlContent: html }),
    ...(text !== undefined && { textContent: text }),
    ...(attachments.length > 0 && {
      attachment: attachments.map(({ filename, content }) => ({ name: filename, content })),
    }),
    ...(Object.keys(headers).length > 0 && { headers }),
    // By which brevoLookUp() finds it.
    ...(key !== undefined && { tags: [key] }),
  };
}
