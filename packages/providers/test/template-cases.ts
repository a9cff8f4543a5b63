import type { SendMailOptions } from 'nodemailer';
import type { TemplateMessage } from '../src/index.ts';

/** Whether a provider takes the sender and the subject of an email with a template. */
type Rule = 'required' | 'optional' | 'refused';

interface TemplateCase {
  readonly id: string | number;
  readonly from: Rule;
  readonly subject: Exclude<Rule, 'required'>;
  /** Whether it takes attachments, headers and a Reply-To beside a template. */
  readonly attachment: boolean;
  readonly headers: boolean;
  readonly replyTo: boolean;
  /** Which copies it takes beside a template. */
  readonly copies: readonly ('cc' | 'bcc')[];
  /** Whether a variable may be an object. */
  readonly nested: boolean;
  /** The request with `variables` and all that it takes. */
  readonly body: object;
}

const ada = 'ada@customer.example';
const shop = 'shop@shop.example';
const help = 'help@shop.example';
const key = 'TeW1qQzy2sEQr9cGZkyMow';
const idempotencyKey = '4de5b5a9-0cf2-8ac1-90af-d706664c8ca3';

/** The variables of the tests, not sorted. */
export const variables = { order: 7, name: 'Ädä "x"' };
const sorted = { name: 'Ädä "x"', order: 7 };
const headers = { 'X-A': 'b' };
const pdf = 'cGRm';

export const templateCases: Readonly<Record<string, TemplateCase>> = {
  Brevo: {
    id: 12,
    from: 'optional',
    subject: 'optional',
    attachment: true,
    headers: true,
    replyTo: true,
    copies: ['cc', 'bcc'],
    nested: true,
    body: {
      sender: { email: shop },
      to: [{ email: ada }],
      replyTo: { email: help },
      subject: 'On its way',
      templateId: 12,
      params: sorted,
      attachment: [{ name: 'a.pdf', content: pdf }],
      headers: { ...headers, idempotencyKey },
      tags: [key],
    },
  },
  Resend: {
    id: 'notice',
    from: 'optional',
    subject: 'optional',
    attachment: true,
    headers: true,
    replyTo: true,
    copies: ['cc', 'bcc'],
    nested: false,
    body: {
      from: shop,
      to: [ada],
      reply_to: [help],
      subject: 'On its way',
      template: { id: 'notice', variables: sorted },
      headers,
      attachments: [{ filename: 'a.pdf', content: pdf, content_type: 'application/pdf' }],
    },
  },
  SparkPost: {
    id: 'notice',
    from: 'refused',
    subject: 'refused',
    attachment: false,
    headers: false,
    replyTo: false,
    copies: ['bcc'],
    nested: true,
    body: {
      recipients: [{ address: { email: ada } }],
      content: { template_id: 'notice' },
      substitution_data: sorted,
    },
  },
  Loops: {
    id: 'notice',
    from: 'refused',
    subject: 'refused',
    attachment: true,
    headers: false,
    replyTo: false,
    copies: [],
    nested: false,
    body: {
      email: ada,
      transactionalId: 'notice',
      dataVariables: sorted,
      attachments: [{ filename: 'a.pdf', contentType: 'application/pdf', data: pdf }],
    },
  },
  Plunk: {
    id: 'b1f7a0de-7a9c-4c1e-8f5d-0a4f3f5a9c11',
    from: 'optional',
    subject: 'optional',
    attachment: true,
    headers: true,
    replyTo: true,
    copies: [],
    nested: true,
    body: {
      to: { email: ada },
      from: { email: shop },
      subject: 'On its way',
      template: 'b1f7a0de-7a9c-4c1e-8f5d-0a4f3f5a9c11',
      data: {
        name: { value: 'Ädä "x"', persistent: false },
        order: { value: 7, persistent: false },
      },
      reply: help,
      headers,
      attachments: [{ filename: 'a.pdf', content: pdf, contentType: 'application/pdf' }],
    },
  },
  Postmark: {
    id: 'notice',
    from: 'required',
    subject: 'refused',
    attachment: true,
    headers: true,
    replyTo: true,
    copies: ['cc', 'bcc'],
    nested: true,
    body: {
      From: shop,
      To: ada,
      ReplyTo: help,
      TemplateAlias: 'notice',
      TemplateModel: sorted,
      Headers: [{ Name: 'X-A', Value: 'b' }],
      Metadata: { sendonce: key },
      Attachments: [{ Name: 'a.pdf', Content: pdf, ContentType: 'application/pdf' }],
    },
  },
  SendGrid: {
    id: 'd-1234567890',
    from: 'required',
    subject: 'refused',
    attachment: true,
    headers: true,
    replyTo: true,
    copies: ['cc', 'bcc'],
    nested: true,
    body: {
      personalizations: [{ to: [{ email: ada }], dynamic_template_data: sorted }],
      from: { email: shop },
      reply_to_list: [{ email: help }],
      template_id: 'd-1234567890',
      attachments: [
        { content: pdf, type: 'application/pdf', filename: 'a.pdf', disposition: 'attachment' },
      ],
      headers,
      custom_args: { sendonce: key },
    },
  },
  SES: {
    id: 'notice',
    from: 'required',
    subject: 'refused',
    attachment: true,
    headers: true,
    replyTo: true,
    copies: ['cc', 'bcc'],
    nested: true,
    body: {
      FromEmailAddress: shop,
      Destination: { ToAddresses: [ada] },
      ReplyToAddresses: [help],
      Content: {
        Template: {
          TemplateName: 'notice',
          TemplateData: JSON.stringify(sorted),
          Headers: [{ Name: 'X-A', Value: 'b' }],
          Attachments: [
            {
              FileName: 'a.pdf',
              RawContent: pdf,
              ContentType: 'application/pdf',
              ContentDisposition: 'ATTACHMENT',
              ContentTransferEncoding: 'BASE64',
            },
          ],
        },
      },
      EmailTags: [{ Name: 'sendonce', Value: key }],
    },
  },
};

export type TemplateEmail = SendMailOptions & Partial<TemplateMessage>;

/** An email with a template and nothing that the provider could refuse beside it. */
export function templateEmail(provider: string, more: object = {}): TemplateEmail {
  const { id, from } = templateCases[provider] ?? { id: 'notice', from: 'required' };
  return {
    ...(from === 'required' && { from: shop }),
    to: ada,
    template: { id, variables },
    ...more,
  };
}

/** An email with a template and everything that the provider takes beside it. */
export function fullTemplateEmail(provider: string): TemplateEmail {
  const { from, subject, attachment, headers: hasHeaders, replyTo } = templateCases[provider]!;
  return templateEmail(provider, {
    ...(from !== 'refused' && { from: shop }),
    ...(subject !== 'refused' && { subject: 'On its way' }),
    ...(attachment && { attachments: [{ filename: 'a.pdf', content: Buffer.from('pdf') }] }),
    ...(hasHeaders && { headers }),
    ...(replyTo && { replyTo: help }),
  });
}
