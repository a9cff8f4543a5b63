import { checkNames, type OptionNames } from '@sendonce/core/ledger';
import type { Email, EmailAddress } from './email.ts';
import { mailbox } from './mailbox.ts';
import type { HttpAnswer } from './post-once.ts';
import {
  checkHeaderText,
  checkProviderOptions,
  type ProviderOptions,
  PROVIDER_OPTION_NAMES,
} from './provider-options.ts';
import { providerTransport, type ProviderTransport } from './provider-transport.ts';
import {
  type Accepted,
  type Capabilities,
  supportsEverything,
  supportsTemplates,
  type Provider,
  type ProviderAnswers,
} from './provider.ts';
import { withRefused } from './refused-recipients.ts';
import { field, readMessageId } from './read-answer.ts';
import type { EmailTemplate } from './template.ts';

/** The options of {@link postmarkTransport}. */
export interface PostmarkOptions extends ProviderOptions {
  /** The id of the message stream. @default Postmark's default, `outbound` */
  readonly messageStream?: string | undefined;
}

const NAMES: OptionNames<PostmarkOptions> = { ...PROVIDER_OPTION_NAMES, messageStream: true };

/**
 * Returns a nodemailer transport for Postmark's API (`POST /email`). Postmark has no idempotency
 * key, so a doubt is never resolved by sending again. Under a claim the email has the claim's key
 * as the metadata `sendonce`, by which {@link postmarkLookUp} finds it.
 *
 * A `template` ({@link TemplateMessage}) is one of Postmark's: a number is its id, a string its
 * alias. It is posted to `url` with `/withTemplate` added. `subject` is refused, because the
 * template has it.
 *
 * Written from Postmark's documentation of November 2026 and tested against a local server that
 * behaves as it describes. It was never run against a live account.
 *
 * @example
 * const apiKey = process.env.POSTMARK_SERVER_TOKEN ?? '';
 * const transporter = createTransport(postmarkTransport({ apiKey }));
 * @throws {OptionError} for a wrong option. The message never shows the API key.
 */
export function postmarkTransport(options: PostmarkOptions): ProviderTransport {
  checkNames('postmarkTransport()', options, NAMES);
  const settings = checkProviderOptions(options, 'https://api.postmarkapp.com/email');
  const { messageStream } = options;
  if (messageStream !== undefined) {
    checkHeaderText('messageStream', messageStream, 'the id of a message stream');
  }
  return providerTransport(postmark(settings.apiKey, messageStream), settings, undefined);
}

/**
 * Postmark's own error codes where the account is at fault and not the email: credits, rights,
 * server.
 */
const accountCodes = new Set(['10', '402', '405', '412', '413']);

const supports: Capabilities = { ...supportsEverything, replyTo: 1 };

/** @internal */
export const postmarkAnswers: ProviderAnswers = {
  name: 'Postmark',
  accepted,
  providerCode: ({ json }) => field(json, 'ErrorCode'),
  refusal: (status, code = '') =>
    status === 422 && accountCodes.has(code) ? 'refused' : undefined,
};

function postmark(apiKey: string, messageStream: string | undefined): Provider {
  return {
    ...postmarkAnswers,
    supports,
    templates: { ...supportsTemplates, ...supports, ids: ['string', 'number'] },
    request: (email, key) => ({
      headers: { 'x-postmark-server-token': apiKey },
      body: buildBody(email, key, messageStream),
      ...(email.template && { subpath: 'withTemplate' }),
    }),
  };
}

function accepted({ json }: HttpAnswer, email: Email | undefined): Accepted {
  if (field(json, 'ErrorCode') !== 0) return undefined;
  // "Message OK, but will not deliver to these inactive addresses: a@x.example, b@x.example. …"
  const [, list = ''] = /inactive addresses: (.*)$/s.exec(String(field(json, 'Message'))) ?? [];
  const words = list.split(/[,\s]+/).filter((one) => one.includes('@'));
  const refused = new Set(words.map((one) => one.replace(/\.$/, '').toLowerCase()));
  const sent = readMessageId(field(json, 'MessageID'));
  return withRefused(sent, email, { refused, code: 'inactive' });
}

function toTemplate({ id, variables = {} }: EmailTemplate): object {
  return typeof id === 'number'
    ? { TemplateId: id, TemplateModel: variables }
    : { TemplateAlias: id, TemplateModel: variables };
}

function buildBody(
  email: Email,
  key: string | undefined,
  messageStream: string | undefined,
): object {
  const { from, to, cc, bcc, replyTo, subject, html, text, headers, attachments } = email;
  const list = (addresses: readonly EmailAddress[]) => addresses.map(mailbox).join(', ');
  const named = Object.entries(headers).map(([name, value]) => ({ Name: name, Value: value }));
  return {
    From: mailbox(from),
    To: list(to),
    ...(cc.length > 0 && { Cc: list(cc) }),
    ...(bcc.length > 0 && { Bcc: list(bcc) }),
    ...(replyTo[0] && { ReplyTo: mailbox(replyTo[0]) }),
    ...(email.template ? toTemplate(email.template) : { Subject: subject }),
    ...(html !== undefined && { HtmlBody: html }),
    ...(text !== undefined && { TextBody: text }),
    ...(named.length > 0 && { Headers: named }),
    ...(key !== undefined && { Metadata: { sendonce: key } }),
    ...(messageStream !== undefined && { MessageStream: messageStream }),
    ...(attachments.length > 0 && {
      Attachments: attachments.map(({ filename, content, contentType, cid }) => ({
        Name: filename,
        Content: content,
        ContentType: contentType,
        ...(cid !== undefined && { ContentID: `cid:${cid}` }),
      })),
    }),
  };
}
