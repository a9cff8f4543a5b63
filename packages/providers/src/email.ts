import { RecipientsError } from '@sendonce/core';
import { checkAddress, checkAddressFields } from '@sendonce/core/mail';
import { readAttachments, checkAttachments, type EmailAttachment } from './attachments.ts';
import { checkContentSources, type ContentAccess } from './content-sources.ts';
import { checkHeaders, readHeaders } from './custom-headers.ts';
import { oneLine } from './one-line.ts';
import type { ProviderMail } from './provider-mail.ts';
import type { Capabilities, Provider, TemplateCapabilities } from './provider.ts';
import { cannotCarry, incompleteEmail } from './provider-error.ts';
import { type EmailTemplate, readTemplate } from './template.ts';

/** @internal */
export interface EmailAddress {
  /** Empty if there is none. */
  readonly name: string;
  readonly address: string;
}

/** @internal An email that nodemailer has normalised, in the form that all APIs need. */
export interface Email {
  /** Its address is empty if a template of the provider sets the sender. */
  readonly from: EmailAddress;
  readonly to: readonly EmailAddress[];
  readonly cc: readonly EmailAddress[];
  readonly bcc: readonly EmailAddress[];
  readonly replyTo: readonly EmailAddress[];
  /** Empty if there is none. */
  readonly subject: string;
  readonly text: string | undefined;
  readonly html: string | undefined;
  /** A template of the provider, instead of `text` and `html`. */
  readonly template: EmailTemplate | undefined;
  /** Custom headers, sorted by name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly attachments: readonly EmailAttachment[];
}

/** @internal */
export interface ReadEmailOptions {
  /** Refuses an email with several recipients, see `recipients` of the options. */
  readonly oneRecipient: boolean;
  /** What the options of the transport allow. */
  readonly access: ContentAccess;
}

/**
 * @internal Checks a message and normalises it by nodemailer's `normalize()`. What the API cannot
 * carry is refused here and never dropped.
 * @throws {AddressError} @throws {RecipientsError} @throws {ProviderError}
 */
export async function readEmail(
  mail: ProviderMail,
  of: Provider,
  { oneRecipient, access }: ReadEmailOptions,
): Promise<Email> {
  const data = mail.data as Record<string, unknown>;
  checkAddressFields(data);
  checkFields(data, of.name);
  const template = readTemplate(data['template'], of);
  const { templates } = of;
  const provider = template && templates ? { ...of, supports: templates } : of;
  // nodemailer also accepts a single attachment.
  if (data['attachments']) data['attachments'] = [data['attachments']].flat();
  checkAttachments(data['attachments'], provider);
  checkContentSources(mail, access, provider.name);
  checkHeaders(data, provider);
  const addresses = readAddresses(mail, provider, oneRecipient);
  await normalize(mail);
  const text = content(data['text'], 'text', provider.name);
  const html = content(data['html'], 'html', provider.name);
  const subject = oneLine(data['subject'] ?? '');
  if (template && templates) checkBesideTemplate({ text, html, subject }, of.name, templates);
  else if (text === undefined && html === undefined) {
    throw incompleteEmail(of.name, `it has ${nothing(data, templates)}`);
  }
  return {
    ...addresses,
    subject,
    text,
    html,
    template,
    headers: readHeaders(mail, provider),
    attachments: readAttachments(data['attachments'], provider.name),
  };
}

/** Refuses what the provider would ignore, or use instead of the template. */
function checkBesideTemplate(
  { text, html, subject }: Pick<Email, 'text' | 'html' | 'subject'>,
  provider: string,
  { subject: mayHaveSubject }: TemplateCapabilities,
): void {
  if (text !== undefined || html !== undefined) {
    const field = html === undefined ? 'text' : 'html';
    throw incompleteEmail(provider, `it has "${field}" beside a "template", which is its content`);
  }
  if (subject && !mayHaveSubject) {
    const what = `it has a "subject" beside a "template", and ${provider} takes that of the template`;
    throw incompleteEmail(provider, what);
  }
}

/** Says what an email without content lacks. */
function nothing({ template }: Record<string, unknown>, templates: unknown): string {
  if (template && templates) return 'a "template" without "id", and neither "text" nor "html"';
  return templates ? 'neither "text", "html" nor "template"' : 'neither "text" nor "html"';
}

// Fields of nodemailer that no API accepts. `encoding`, `textEncoding` and the boundary are not
// among them: they describe the MIME text, which the provider writes.
const uncarried: Readonly<Record<string, string>> = {
  raw: 'it has a ready-made message ("raw")',
  envelope: 'it has its own envelope',
  sender: 'it has a Sender',
  dsn: 'it asks for delivery status notifications ("dsn")',
  amp: 'it has an AMP version',
  watchHtml: 'it has a version for watches ("watchHtml")',
  icalEvent: 'it has a calendar event',
  alternatives: 'it has alternatives',
  messageId: 'it has its own Message-ID, and the provider writes one',
  date: 'it has its own Date, and the provider writes one',
  dkim: 'it has a DKIM key ("dkim"), and the provider signs',
  attachDataUrls: 'its data URLs would get random Content-IDs ("attachDataUrls")',
};

function checkFields(data: Record<string, unknown>, provider: string): void {
  for (const [field, what] of Object.entries(uncarried)) {
    const value = data[field];
    if (value && !(Array.isArray(value) && value.length === 0)) throw cannotCarry(provider, what);
  }
}

type Addresses = Pick<Email, 'from' | 'to' | 'cc' | 'bcc' | 'replyTo'>;

/** The addresses from the compiled message, parsed and encoded as for SMTP. */
function readAddresses(mail: ProviderMail, provider: Provider, oneRecipient: boolean): Addresses {
  const found = mail.message.getAddresses();
  const list = (field: string): EmailAddress[] =>
    (found[field] ?? []).map(({ name, address = '' }) => {
      // The provider parses the address again, so it must be readable in one way only.
      checkAddress(address, field === 'reply-to' ? 'replyTo' : field);
      return { name: oneLine(name ?? ''), address };
    });
  const [from, ...otherFrom] = list('from');
  // SendGrid refuses an email with the same address in two fields, and others may send it twice.
  const seen = new Set<string>();
  const once = ({ address }: EmailAddress) => seen.size < seen.add(address).size;
  const [to, cc, bcc] = [
    list('to').filter(once),
    list('cc').filter(once),
    list('bcc').filter(once),
  ];
  const replyTo = list('reply-to');
  const count = seen.size;
  if (oneRecipient && count !== 1) throw new RecipientsError(count);
  const { name, supports } = provider;
  checkFrom(from, name, supports);
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
  return { from: from ?? { name: '', address: '' }, to, cc, bcc, replyTo };
}

function checkFrom(
  from: EmailAddress | undefined,
  provider: string,
  supports: Capabilities | TemplateCapabilities,
): void {
  const rule = 'from' in supports ? supports.from : 'required';
  if (!from && rule === 'required') throw incompleteEmail(provider, 'it has no "from"');
  if (from && rule === 'refused') {
    const what = `it has a "from" beside a "template", and ${provider} takes that of the template`;
    throw incompleteEmail(provider, what);
  }
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
  // For empty content, nodemailer leaves the object.
  const { content } = value as { readonly content?: unknown };
  if (content === '' || content === undefined) return undefined;
  throw incompleteEmail(provider, `its "${field}" is not text`);
}
