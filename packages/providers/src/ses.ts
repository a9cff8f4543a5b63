import { OptionError } from '@sendonce/core';
import { checkNames, type OptionNames } from '@sendonce/core/ledger';
import type { Email, EmailAddress } from './email.ts';
import { encodedWords } from './encoded-word.ts';
import { mailbox } from './mailbox.ts';
import type { HttpAnswer } from './post-once.ts';
import { cannotCarry } from './provider-error.ts';
import { checkHeaderText, checkProviderOptions, type ProviderOptions } from './provider-options.ts';
import { providerTransport, type ProviderTransport } from './provider-transport.ts';
import {
  type Provider,
  type ProviderAnswers,
  supportsEverything,
  supportsTemplates,
} from './provider.ts';
import { field, readMessageId } from './read-answer.ts';
import { type AwsCredentials, sigV4Headers } from './sigv4.ts';

/** The options of {@link sesTransport}. */
export interface SesOptions extends Omit<ProviderOptions, 'apiKey'> {
  /** The AWS region, such as `eu-west-1`. */
  readonly region: string;
  /** The id of an AWS access key. */
  readonly accessKeyId: string;
  /** The secret of the access key. Errors never show it. */
  readonly secretAccessKey: string;
  /** The token of temporary credentials. When they expire, create a new transport. @default none */
  readonly sessionToken?: string | undefined;
}

const NAMES: OptionNames<SesOptions> = {
  region: true,
  accessKeyId: true,
  secretAccessKey: true,
  sessionToken: true,
  url: true,
  answerWithinMs: true,
  fetch: true,
  disableFileAccess: true,
  disableUrlAccess: true,
  recipients: true,
};

/**
 * Returns a nodemailer transport for Amazon SES (`POST /v2/email/outbound-emails`). It does not use
 * AWS's SDK, which repeats requests. SES has no idempotency key and no look-up, so a doubt is never
 * resolved by sending again. Under a claim the email has the claim's key as the tag `sendonce`,
 * which the events of a configuration set contain.
 *
 * It sends `Content.Simple` and not nodemailer's MIME text, whose Date, Message-ID and boundaries
 * differ between two attempts. SES writes the Date and the Message-ID. Custom headers are refused
 * if they are not ASCII, have more than 870 characters, or are more than 15.
 *
 * A `template` ({@link TemplateMessage}) is one of SES, by its name. `subject` is refused, because
 * the template has it. SES accepts a template that it cannot fill, and sends nothing: the event
 * `RENDERING_FAILURE` of a configuration set reports it.
 *
 * Written from AWS's documentation of November 2026 and tested against a local server that behaves
 * as it describes. It was never run against a live account.
 *
 * @example
 * const account = { region: 'eu-west-1', accessKeyId, secretAccessKey };
 * const transporter = createTransport(sesTransport(account));
 * @throws {OptionError} for a wrong option. The message never shows a secret.
 */
export function sesTransport(options: SesOptions): ProviderTransport {
  checkNames('sesTransport()', options, NAMES);
  const { region, accessKeyId, secretAccessKey, sessionToken } = options;
  checkHeaderText('region', region, 'the name of an AWS region');
  if (!/^[a-z\d-]+$/.test(region)) {
    throw new OptionError('region', 'Expected "region" to be like "eu-west-1".');
  }
  checkHeaderText('accessKeyId', accessKeyId, 'the id of an AWS access key');
  checkHeaderText('secretAccessKey', secretAccessKey, 'the secret of an AWS access key');
  if (sessionToken !== undefined) checkHeaderText('sessionToken', sessionToken, 'a session token');
  const settings = checkProviderOptions(
    { ...options, apiKey: secretAccessKey },
    `https://email.${region}.amazonaws.com/v2/email/outbound-emails`,
  );
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  return providerTransport(ses(settings.url, region, credentials), settings, undefined);
}

/** Error codes that concern the account and not the email. */
const accountCodes = new Set([
  'AccountSuspendedException',
  'ExpiredTokenException',
  'LimitExceededException',
  'MailFromDomainNotVerifiedException',
  'RequestExpired',
  'SendingPausedException',
  'Throttling',
  'ThrottlingException',
]);

/** @internal */
export const sesAnswers: ProviderAnswers = {
  name: 'SES',
  accepted: ({ json }) => readMessageId(field(json, 'MessageId')),
  providerCode,
  refusal: (status, code = '') =>
    status === 400 && accountCodes.has(code) ? 'refused' : undefined,
};

function ses(url: string, region: string, credentials: AwsCredentials): Provider {
  return {
    ...sesAnswers,
    supports: supportsEverything,
    templates: supportsTemplates,
    request: (email, key) => {
      const body = buildBody(email, key);
      const signed = { method: 'POST', url, headers: {}, body: JSON.stringify(body) };
      // The signature contains the time. The body does not, so it is the same in each attempt.
      const service = { region, service: 'ses', credentials, date: new Date() };
      return { headers: sigV4Headers({ ...signed, ...service }), body };
    },
  };
}

/**
 * Reads `BadRequestException:http://…` in a header, or `namespace#BadRequestException` in the body.
 */
function providerCode({ headers, json }: HttpAnswer): unknown {
  const type: unknown = headers.get('x-amzn-errortype') ?? field(json, '__type');
  return typeof type === 'string' ? type.split(':')[0]?.split('#').at(-1) : undefined;
}

function buildBody(email: Email, key: string | undefined): object {
  const { from, to, cc, bcc, replyTo, subject, html, text, headers, attachments } = email;
  const { template } = email;
  const list = (addresses: readonly EmailAddress[]) => addresses.map(encoded);
  const utf8 = (Data: string) => ({ Data, Charset: 'UTF-8' });
  const beside = {
    ...(Object.keys(headers).length > 0 && { Headers: buildHeaders(headers) }),
    ...(attachments.length > 0 && { Attachments: attachments.map(buildAttachment) }),
  };
  return {
    FromEmailAddress: encoded(from),
    Destination: {
      ToAddresses: list(to),
      ...(cc.length > 0 && { CcAddresses: list(cc) }),
      ...(bcc.length > 0 && { BccAddresses: list(bcc) }),
    },
    ...(replyTo.length > 0 && { ReplyToAddresses: list(replyTo) }),
    Content: template
      ? {
          Template: {
            TemplateName: template.id,
            TemplateData: JSON.stringify(template.variables ?? {}),
            ...beside,
          },
        }
      : {
          Simple: {
            Subject: utf8(subject),
            Body: {
              ...(text !== undefined && { Text: utf8(text) }),
              ...(html !== undefined && { Html: utf8(html) }),
            },
            ...beside,
          },
        },
    ...(key !== undefined && { EmailTags: [{ Name: 'sendonce', Value: key }] }),
  };
}

function buildHeaders(headers: Email['headers']): object[] {
  const named = Object.entries(headers);
  if (named.length > 15) throw cannotCarry('SES', 'it has more than 15 custom headers');
  return named.map(([Name, Value]) => {
    if (/^[ -~]{1,870}$/.test(Value)) return { Name, Value };
    throw cannotCarry('SES', `its header ${Name} is empty, too long, or not ASCII`);
  });
}

function buildAttachment({ filename, content, contentType, cid }: Email['attachments'][number]) {
  return {
    FileName: filename,
    RawContent: content,
    ContentType: contentType,
    ContentDisposition: cid === undefined ? 'ATTACHMENT' : 'INLINE',
    // The encoding in the MIME text that SES builds. The default is 7 bit.
    ContentTransferEncoding: 'BASE64',
    ...(cid !== undefined && { ContentId: cid }),
  };
}

/** SES accepts a name that is not ASCII only as encoded words. */
function encoded({ name, address }: EmailAddress): string {
  return mailbox({ name: encodedWords(name), address });
}
