import { RecipientsError } from '@sendonce/core';
import { checkAddress, checkAddressFields } from '../addresses.ts';
import { readAttachments, checkAttachments, type EmailAttachment } from './attachments.ts';
import { checkContentSources, type ContentAccess } from './content-sources.ts';
import { checkHeaders, readHeaders } from './custom-headers.ts';
import { oneLine } from './one-line.ts';
import type { ProviderMail } from './provider-mail.ts';
import type { Provider } from './provider.ts';
import { cannotCarry, incompleteEmail } from './provider-error.ts';

/** @internal */
export interface EmailAddress {
  /** Empty where there is none. */
  readonly name: string;
  readonly address: string;
}

/** @internal An email as every API takes it, resolved by nodemailer. */
export interface Email {
  readonly from: EmailAddress;
  readonly to: readonly EmailAddress[];
  readonly cc: readonly EmailAddress[];
  readonly bcc: readonly EmailAddress[];
  readonly replyTo: readonly EmailAddress[];
  readonly subject: string;
  readonly text: string | undefined;
  readonly html: string | undefined;
  /** Custom headers, sorted by name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly attachments: readonly EmailAttachment[];
}

/** @internal */
export interface ReadEmailOptions {
  readonly underClaim: boolean;
  /** What the options of the transport allow. */
  readonly access: ContentAccess;
}

/**
 * @internal Checks a message and resolves it by nodemailer's own `normalize()`. What the API cannot
 * carry is refused here, never dropped.
 * @throws {AddressError} @throws {RecipientsError} under a claim. @throws {ProviderError}
 */
export async function readEmail(
  mail: ProviderMail,
  provider: Provider,
  { underClaim, access }: ReadEmailOptions,
): Promise<Email> {
  const data = mail.data as Record<string, unknown>;
  checkAddressFields(data);
  checkFields(data, provider.name);
  // A single attachment, as nodemailer takes it for SMTP.
  if (data['attachments']) data['attachments'] = [data['attachments']].flat();
  checkAttachments(data['attachments'], provider);
  checkContentSources(mail, access, provider.name);
  checkHeaders(data, provider);
  const addresses = readAddresses(mail, provider, underClaim);
  await normalize(mail);
  const text = content(data['text'], 'text', provider.name);
  const html = content(data['html'], 'html', provider.name);
  if (text === undefined && html === undefined) {
    throw incompleteEmail(provider.name, 'it has neither "text" nor "html"');
  }
  return {
    ...addresses,
    subject: oneLine(data['subject'] ?? ''),
    text,
    html,
    headers: readHeaders(mail, provider),
    attachments: readAttachments(data['attachments'], provider.name),
  };
}

// Fields of nodemailer that no API takes as they are. `encoding`, `textEncoding` and the boundary
// only say how the MIME text is written, which the provider does.
const uncarried: Readonly<Record<string, string>> = {
  raw: 'it has a ready-made message ("raw")',
  envelope: 'it has an envelope of its own',
  sender: 'it has a Sender',
  dsn: 'it asks for delivery status notifications ("dsn")',
  amp: 'it has an AMP version',
  watchHtml: 'it has a version for watches ("watchHtml")',
  icalEvent: 'it has a calendar event',
  alternatives: 'it has alternatives',
  messageId: 'it has a Message-ID of its own, and the provider writes one',
  date: 'it has a Date of its own, and the provider writes one',
  dkim: 'it is to be signed here ("dkim"), and the provider signs',
  attachDataUrls: 'its data URLs would get random Content-IDs ("attachDataUrls")',
};

function checkFields(data: Record<string, unknown>, provider: string): void {
  for (const [field, what] of Object.entries(uncarried)) {
    const value = data[field];
    if (value && !(Array.isArray(value) && value.length === 0)) throw cannotCarry(provider, what);
  }
}

type Addresses = Pick<Email, 'from' | 'to' | 'cc' | 'bcc' | 'replyTo'>;

/** From the compiled tree: parsed, groups flattened, international domains encoded, as for SMTP. */
function readAddresses(mail: ProviderMail, provider: Provider, underClaim: boolean): Addresses {
  const found = mail.message.getAddresses();
  const list = (field: string): EmailAddress[] =>
    (found[field] ?? []).map(({ name, address = '' }) => {
      // The provider parses it again: what can be read in two ways is refused.
      checkAddress(address, field === 'reply-to' ? 'replyTo' : field);
      return { name: oneLine(name ?? ''), address };
    });
  const [from, ...otherFrom] = list('from');
  const [to, cc, bcc, replyTo] = [list('to'), list('cc'), list('bcc'), list('reply-to')];
  const count = to.length + cc.length + bcc.length;
  if (underClaim && count !== 1) throw new RecipientsError(count);
  const { name, supports } = provider;
  if (!from) throw incompleteEmail(name, 'it has no "from"');
  if (otherFrom.length > 0) throw cannotCarry(name, 'it has several From addresses');
  if (to.length === 0) throw incompleteEmail(name, 'it has no recipient in "to"');
  if (count > 1 && !supports.severalRecipients) {
    throw cannotCarry(name, 'it has several recipients (to, cc, bcc)');
  }
  if (supports.replyTo !== 'several' && replyTo.length > supports.replyTo) {
    throw cannotCarry(
      name,
      supports.replyTo === 0 ? 'it has a Reply-To' : 'it has several Reply-To',
    );
  }
  return { from, to, cc, bcc, replyTo };
}

function normalize(mail: ProviderMail): Promise<void> {
  return new Promise((resolve, reject) => {
    mail.normalize((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

function content(value: unknown, field: string, provider: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  // Of an empty one nodemailer makes the object itself.
  const { content } = value as { readonly content?: unknown };
  if (content === '' || content === undefined) return undefined;
  throw incompleteEmail(provider, `its "${field}" is no text`);
}
