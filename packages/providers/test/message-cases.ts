import { Readable } from 'node:stream';
import type { SendMailOptions } from 'nodemailer';

const all = [
  'Brevo',
  'Resend',
  'SparkPost',
  'Lettermint',
  'AhaSend',
  'Loops',
  'Plunk',
  'Postmark',
  'SendGrid',
  'Azure',
  'SES',
];
const without = (...names: string[]) => all.filter((name) => !names.includes(name));

export interface PartCase {
  readonly mail: SendMailOptions | Record<string, unknown>;
  readonly carriedBy: readonly string[];
  /** What the request then contains. */
  readonly trace: readonly string[];
}

const png = { filename: 'logo.png', content: Buffer.from('png'), cid: 'logo@shop' };

/** Parts of an email that not every API takes. */
export const parts = {
  attachment: {
    mail: { attachments: [{ filename: 'a.pdf', content: 'Ä', contentType: 'application/pdf' }] },
    carriedBy: all,
    trace: ['a.pdf', 'w4Q='],
  },
  'attachment as a stream': {
    mail: { attachments: [{ filename: 'a.pdf', content: Readable.from([Buffer.from('Ä')]) }] },
    carriedBy: all,
    trace: ['w4Q='],
  },
  'attachment in base64': {
    mail: { attachments: [{ filename: 'a.pdf', content: 'w4Q=', encoding: 'base64' }] },
    carriedBy: all,
    trace: ['"w4Q="'],
  },
  'empty attachment': {
    mail: { attachments: [{ filename: 'a.txt', content: '' }] },
    carriedBy: all,
    trace: ['a.txt'],
  },
  'inline image': {
    mail: { attachments: [png], html: '<img src="cid:logo@shop">' },
    carriedBy: without('Brevo', 'Loops'),
    trace: ['logo@shop', 'cG5n'],
  },
  'inline attachment without cid': {
    mail: { attachments: [{ filename: 'a.png', content: 'x', contentDisposition: 'inline' }] },
    carriedBy: [],
    trace: [],
  },
  'attachment with headers': {
    mail: { attachments: [{ filename: 'a.png', content: 'x', headers: { 'X-A': 'b' } }] },
    carriedBy: [],
    trace: [],
  },
  'raw attachment': { mail: { attachments: [{ raw: 'X: y\r\n\r\nz' }] }, carriedBy: [], trace: [] },
  'Reply-To': {
    mail: { replyTo: 'help@shop.example' },
    carriedBy: all,
    trace: ['help@shop.example'],
  },
  'two Reply-To': {
    mail: { replyTo: ['help@shop.example', 'boss@shop.example'] },
    carriedBy: ['Resend', 'Lettermint', 'SendGrid', 'Azure', 'SES'],
    trace: ['help@shop.example', 'boss@shop.example'],
  },
  header: {
    mail: { headers: { 'X-Order': '7\r\nBcc: x@x.example' } },
    carriedBy: without('Loops'),
    trace: ['X-Order', '7 Bcc: x@x.example'],
  },
  'headers as a list': {
    mail: { headers: [{ key: 'X-Order', value: '7' }] },
    carriedBy: without('Loops'),
    trace: ['X-Order'],
  },
  'header with two values': {
    mail: { headers: { 'X-Order': ['7', '8'] } },
    carriedBy: [],
    trace: [],
  },
  'header given twice': {
    mail: { headers: { 'X-Order': '7', 'x-order': '8' } },
    carriedBy: [],
    trace: [],
  },
  'header that is an address': {
    mail: { headers: { Sender: 'x@shop.example' } },
    carriedBy: [],
    trace: [],
  },
  'its own idempotency key': {
    mail: { headers: { idempotencyKey: 'mine' } },
    carriedBy: [],
    trace: [],
  },
  list: {
    mail: { list: { unsubscribe: 'https://shop.example/unsubscribe' } },
    carriedBy: without('Loops'),
    trace: ['list-unsubscribe', '<https://shop.example/unsubscribe>'],
  },
  thread: {
    mail: { inReplyTo: '<a@shop.example>', references: ['<a@shop.example>', '<b@shop.example>'] },
    carriedBy: without('Loops'),
    trace: ['in-reply-to', 'references', '<a@shop.example> <b@shop.example>'],
  },
  priority: { mail: { priority: 'high' }, carriedBy: without('Loops'), trace: ['X-Priority'] },
  'X-Mailer': { mail: { xMailer: 'Shop 1' }, carriedBy: without('Loops'), trace: ['Shop 1'] },
  'a template of SparkPost': {
    mail: { text: 'Hello {{name}}' },
    carriedBy: without('SparkPost', 'Plunk'),
    trace: ['{{name}}'],
  },
  raw: { mail: { raw: 'To: a@b.example\r\n\r\nx' }, carriedBy: [], trace: [] },
  envelope: {
    mail: { envelope: { from: 'bounce@shop.example', to: 'customer@customer.example' } },
    carriedBy: [],
    trace: [],
  },
  sender: { mail: { sender: 'x@shop.example' }, carriedBy: [], trace: [] },
  'two From': { mail: { from: ['a@shop.example', 'b@shop.example'] }, carriedBy: [], trace: [] },
  'no From': { mail: { from: undefined }, carriedBy: [], trace: [] },
  'only cc': { mail: { to: undefined, cc: 'customer@customer.example' }, carriedBy: [], trace: [] },
  'no content': { mail: { text: undefined }, carriedBy: [], trace: [] },
  dsn: { mail: { dsn: { notify: 'failure' } }, carriedBy: [], trace: [] },
  amp: { mail: { amp: '<html amp4email></html>' }, carriedBy: [], trace: [] },
  watchHtml: { mail: { watchHtml: '<b>x</b>' }, carriedBy: [], trace: [] },
  calendar: { mail: { icalEvent: { content: 'BEGIN:VCALENDAR' } }, carriedBy: [], trace: [] },
  alternatives: {
    mail: { alternatives: [{ contentType: 'text/x-web-markdown', content: '**x**' }] },
    carriedBy: [],
    trace: [],
  },
  'Message-ID': { mail: { messageId: '<x@shop.example>' }, carriedBy: [], trace: [] },
  date: { mail: { date: new Date(0) }, carriedBy: [], trace: [] },
  dkim: {
    mail: { dkim: { domainName: 'shop.example', keySelector: 'a', privateKey: 'secret' } },
    carriedBy: [],
    trace: [],
  },
  'data URLs': { mail: { attachDataUrls: true, html: '<b>x</b>' }, carriedBy: [], trace: [] },
} satisfies Record<string, PartCase>;

export type Part = keyof typeof parts;

/** An email with all that a provider can carry. */
export function full(provider: string): SendMailOptions {
  const image = without('Brevo', 'Loops').includes(provider);
  return {
    // Azure takes the name from its own settings.
    from: { name: provider === 'Azure' ? '' : 'Shop, "The"', address: 'shop@shop.example' },
    to: 'Ädä <ada@bücher.example>',
    replyTo: 'help@shop.example',
    subject: 'On\r\nits way 🚚',
    text: 'Your parcel.',
    html: Buffer.from('<b>Your parcel.</b>'),
    ...(provider !== 'Loops' && { headers: { 'X-Order': '7', 'X-A': 'b' } }),
    attachments: [
      { filename: 'a.pdf', content: Buffer.from('pdf') },
      ...(image ? [{ ...png }] : []),
    ],
  };
}

const from = 'shop@shop.example';
const ada = 'ada@xn--bcher-kva.example';
const shop = String.raw`"Shop, \"The\"" <shop@shop.example>`;
const help = 'help@shop.example';
const subject = 'On its way 🚚';
const text = 'Your parcel.';
const html = '<b>Your parcel.</b>';
const headers = { 'X-A': 'b', 'X-Order': '7' };
const [pdf, logo] = ['cGRm', 'cG5n'];

/** The 16 bytes of the key of the test, and of its UUID: version 8, variant 10. */
const key = 'TeW1qQzy2sEQr9cGZkyMow';
const idempotencyKey = '4de5b5a9-0cf2-8ac1-90af-d706664c8ca3';

/** What each API gets of `full()`. */
export const wantedBodies: Readonly<Record<string, object>> = {
  Brevo: {
    sender: { email: from, name: 'Shop, "The"' },
    to: [{ email: ada, name: 'Ädä' }],
    replyTo: { email: help },
    subject,
    htmlContent: html,
    textContent: text,
    attachment: [{ name: 'a.pdf', content: pdf }],
    headers: { ...headers, idempotencyKey },
    tags: [key],
  },
  Resend: {
    from: shop,
    to: [`Ädä <${ada}>`],
    reply_to: [help],
    subject,
    html,
    text,
    headers,
    attachments: [
      { filename: 'a.pdf', content: pdf, content_type: 'application/pdf' },
      { filename: 'logo.png', content: logo, content_type: 'image/png', content_id: 'logo@shop' },
    ],
  },
  SparkPost: {
    recipients: [{ address: { email: ada, name: 'Ädä' } }],
    content: {
      from: { email: from, name: 'Shop, "The"' },
      subject,
      reply_to: help,
      headers,
      html,
      text,
      attachments: [{ name: 'a.pdf', type: 'application/pdf', data: pdf }],
      inline_images: [{ name: 'logo@shop', type: 'image/png', data: logo }],
    },
  },
  Lettermint: {
    from: shop,
    to: [`Ädä <${ada}>`],
    reply_to: [help],
    subject,
    html,
    text,
    headers,
    attachments: [
      { filename: 'a.pdf', content: pdf, content_type: 'application/pdf' },
      { filename: 'logo.png', content: logo, content_type: 'image/png', content_id: 'logo@shop' },
    ],
  },
  AhaSend: {
    from: { email: from, name: 'Shop, "The"' },
    to: [{ email: ada, name: 'Ädä' }],
    reply_to: { email: help },
    subject,
    text_content: text,
    html_content: html,
    attachments: [
      { base64: true, data: pdf, content_type: 'application/pdf', file_name: 'a.pdf' },
      {
        base64: true,
        data: logo,
        content_type: 'image/png',
        content_disposition: 'inline',
        content_id: 'logo@shop',
        file_name: 'logo.png',
      },
    ],
    headers,
  },
  Loops: {
    email: ada,
    transactionalId: 'notice',
    dataVariables: { from: shop, subject, text, html, replyTo: help },
    attachments: [{ filename: 'a.pdf', contentType: 'application/pdf', data: pdf }],
  },
  Plunk: {
    to: { email: ada, name: 'Ädä' },
    from: { email: from, name: 'Shop, "The"' },
    subject,
    body: html,
    reply: help,
    headers,
    attachments: [
      { filename: 'a.pdf', content: pdf, contentType: 'application/pdf' },
      {
        filename: 'logo.png',
        content: logo,
        contentType: 'image/png',
        contentId: 'logo@shop',
        disposition: 'inline',
      },
    ],
  },
  Postmark: {
    From: shop,
    To: `Ädä <${ada}>`,
    ReplyTo: help,
    Subject: subject,
    HtmlBody: html,
    TextBody: text,
    Headers: [
      { Name: 'X-A', Value: 'b' },
      { Name: 'X-Order', Value: '7' },
    ],
    Metadata: { sendonce: key },
    Attachments: [
      { Name: 'a.pdf', Content: pdf, ContentType: 'application/pdf' },
      { Name: 'logo.png', Content: logo, ContentType: 'image/png', ContentID: 'cid:logo@shop' },
    ],
  },
  SendGrid: {
    personalizations: [{ to: [{ email: ada, name: 'Ädä' }] }],
    from: { email: from, name: 'Shop, "The"' },
    reply_to_list: [{ email: help }],
    subject,
    content: [
      { type: 'text/plain', value: text },
      { type: 'text/html', value: html },
    ],
    attachments: [
      { content: pdf, type: 'application/pdf', filename: 'a.pdf', disposition: 'attachment' },
      {
        content: logo,
        type: 'image/png',
        filename: 'logo.png',
        disposition: 'inline',
        content_id: 'logo@shop',
      },
    ],
    headers,
    custom_args: { sendonce: key },
  },
  Azure: {
    senderAddress: from,
    recipients: { to: [{ address: ada, displayName: 'Ädä' }] },
    replyTo: [{ address: help }],
    content: { subject, plainText: text, html },
    headers,
    attachments: [
      { name: 'a.pdf', contentType: 'application/pdf', contentInBase64: pdf },
      {
        name: 'logo.png',
        contentType: 'image/png',
        contentInBase64: logo,
        contentId: 'logo@shop',
      },
    ],
  },
  SES: {
    FromEmailAddress: shop,
    Destination: { ToAddresses: [`=?UTF-8?B?w4Rkw6Q=?= <${ada}>`] },
    ReplyToAddresses: [help],
    Content: {
      Simple: {
        Subject: { Data: subject, Charset: 'UTF-8' },
        Body: {
          Text: { Data: text, Charset: 'UTF-8' },
          Html: { Data: html, Charset: 'UTF-8' },
        },
        Headers: [
          { Name: 'X-A', Value: 'b' },
          { Name: 'X-Order', Value: '7' },
        ],
        Attachments: [
          {
            FileName: 'a.pdf',
            RawContent: pdf,
            ContentType: 'application/pdf',
            ContentDisposition: 'ATTACHMENT',
            ContentTransferEncoding: 'BASE64',
          },
          {
            FileName: 'logo.png',
            RawContent: logo,
            ContentType: 'image/png',
            ContentDisposition: 'INLINE',
            ContentTransferEncoding: 'BASE64',
            ContentId: 'logo@shop',
          },
        ],
      },
    },
    EmailTags: [{ Name: 'sendonce', Value: key }],
  },
};
