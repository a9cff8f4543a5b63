import { checkNames } from '@sendonce/core/ledger';
import type { Email } from './email.ts';
import { contact } from './mailbox.ts';
import {
  checkProviderOptions,
  type ProviderOptions,
  PROVIDER_OPTION_NAMES,
} from './provider-options.ts';
import { providerTransport, type ProviderTransport } from './provider-transport.ts';
import {
  type Provider,
  type ProviderAnswers,
  supportsEverything,
  supportsTemplates,
} from './provider.ts';
import { field, readMessageId } from './read-answer.ts';

/**
 * Returns a nodemailer transport for SendGrid's API (`POST /v3/mail/send`). SendGrid has no
 * idempotency key, so a doubt is never resolved by sending again. Under a claim the email has the
 * claim's key as the custom argument `sendonce`, which events and Email Activity contain: {@link
 * sendGridLookUp}.
 *
 * A `template` ({@link TemplateMessage}) is a dynamic template, whose id begins with `d-`.
 * `subject` is refused, because SendGrid takes that of the template: write `{{subject}}` there, and
 * give it as a variable.
 *
 * Written from SendGrid's documentation of November 2026 and tested against a local server that
 * behaves as it describes. It was never run against a live account.
 *
 * @example
 * const apiKey = process.env.SENDGRID_API_KEY ?? '';
 * const transporter = createTransport(sendGridTransport({ apiKey }));
 * @throws {OptionError} for a wrong option. The message never shows the API key.
 */
export function sendGridTransport(options: ProviderOptions): ProviderTransport {
  checkNames('sendGridTransport()', options, PROVIDER_OPTION_NAMES);
  const settings = checkProviderOptions(options, 'https://api.sendgrid.com/v3/mail/send');
  return providerTransport(sendGrid(settings.apiKey), settings, undefined);
}

/** @internal */
export const sendGridAnswers: ProviderAnswers = {
  name: 'SendGrid',
  // The answer is 202 with an empty body. The id is in a header.
  accepted: ({ status, headers }) =>
    status === 202 ? readMessageId(headers.get('x-message-id')) : undefined,
  providerCode: ({ json }) => {
    const errors = field(json, 'errors');
    return field(Array.isArray(errors) ? errors[0] : undefined, 'field');
  },
};

function sendGrid(apiKey: string): Provider {
  return {
    ...sendGridAnswers,
    supports: supportsEverything,
    templates: supportsTemplates,
    request: (email, key) => ({
      headers: { authorization: `Bearer ${apiKey}` },
      body: buildBody(email, key),
    }),
  };
}

function buildBody(email: Email, key: string | undefined): object {
  const { from, to, cc, bcc, replyTo, subject, html, text, headers, attachments } = email;
  const { template } = email;
  return {
    personalizations: [
      {
        to: to.map(contact),
        ...(cc.length > 0 && { cc: cc.map(contact) }),
        ...(bcc.length > 0 && { bcc: bcc.map(contact) }),
        ...(template?.variables && { dynamic_template_data: template.variables }),
      },
    ],
    from: contact(from),
    ...(replyTo.length > 0 && { reply_to_list: replyTo.map(contact) }),
    ...(template
      ? { template_id: template.id }
      : {
          subject,
          // RFC 2046 and SendGrid require this order.
          content: [
            ...(text === undefined ? [] : [{ type: 'text/plain', value: text }]),
            ...(html === undefined ? [] : [{ type: 'text/html', value: html }]),
          ],
        }),
    ...(attachments.length > 0 && {
      attachments: attachments.map(({ filename, content, contentType, cid }) => ({
        content,
        type: contentType,
        filename,
        disposition: cid === undefined ? 'attachment' : 'inline',
        ...(cid !== undefined && { content_id: cid }),
      })),
    }),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(key !== undefined && { custom_args: { sendonce: key } }),
  };
}
