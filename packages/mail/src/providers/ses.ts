import { OptionError } from '@sendonce/core';
import { checkNames, type OptionNames } from '@sendonce/core/ledger';
import type { Email, EmailAddress } from './email.ts';
import { encodedWords } from './encoded-word.ts';
import { mailbox } from './mailbox.ts';
import type { HttpAnswer } from './post-once.ts';
import { cannotCarry } from './provider-error.ts';
import { checkHeaderText, checkProviderOptions, type ProviderOptions } from './provider-options.ts';
import { providerTransport, type ProviderTransport } from './provider-transport.ts';
import { supportsEverything, type Provider } from './provider.ts';
import { field, readMessageId } from './read-answer.ts';
import { type AwsCredentials, sigV4Headers } from './sigv4.ts';

export interface SesOptions extends Omit<ProviderOptions, 'apiKey'> {
  /** `eu-west-1`, … */
  readonly region: string;
  readonly accessKeyId: string;
  /** It is never shown in an error. */
  readonly secretAccessKey: string;
  /** Of temporary credentials. They run out: make the transport anew with the next ones. */
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
};

/**
 * A nodemailer transport for Amazon SES (`POST /v2/email/outbound-emails`), without AWS's SDK,
 * which sends a request two or three times. SES has no idempotency key and no look-up: a doubt is
 * never resolved by sending again. Under a claim the email has the claim's key as the tag
 * `sendonce`, which comes back in the events of a configuration set.
 *
 * It sends `Content.Simple`, and not the MIME text that nodemailer builds: that has a Date, a
 * Message-ID and boundaries that differ between two attempts, and SES writes its own Date and
 * Message-ID anyway. Custom headers outside of ASCII, of more than 870 characters, or more than 15
 * of them, are refused.
 *
 * Built from AWS's documentation as it was in November 2026 and tested against a local server that
 * behaves as it says; never run against a live account.
 *
 * @example
 * const transporter = createTransport(sesTransport({ region: 'eu-west-1', accessKeyId, secretAccessKey }))
 * @throws {OptionError} which never shows a secret.
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

/** The account is at fault and not the email. */
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

function ses(url: string, region: string, credentials: AwsCredentials): Provider {
  return {
    name: 'SES',
    supports: supportsEverything,
    request: (email, key) => {
      const body = buildBody(email, key);
      const signed = { method: 'POST', url, headers: {}, body: JSON.stringify(body) };
      // The signature has the time in it; the body, which says what is sent, has none.
      const service = { region, service: 'ses', credentials, date: new Date() };
      return { headers: sigV4Headers({ ...signed, ...service }), body };
    },
    accepted: ({ json }) => readMessageId(field(json, 'MessageId')),
    providerCode,
    refusal: (status, code = '') =>
      status === 400 && accountCodes.has(code) ? 'refused' : undefined,
  };
}

/** `BadRequestException:http://…` in a header, or `namespace#BadRequestException` in the body. */
function providerCode({ headers, json }: HttpAnswer): unknown {
  const type: unknown = headers.get('x-amzn-errortype') ?? field(json, '__type');
  return typeof type === 'string' ? type.split(':')[0]?.split('#').at(-1) : undefined;
}

function buildBody(email: Email, key: string | undefined): object {
  const { from, to, cc, bcc, replyTo, subject, html, text, headers, attachments } = email;
  const list = (addresses: readonly EmailAddress[]) => addresses.map(encoded);
  const utf8 = (Data: string) => ({ Data, Charset: 'UTF-8' });
  return {
    FromEmailAddress: encoded(from),
    Destination: {
      ToAddresses: list(to),
      ...(cc.length > 0 && { CcAddresses: list(cc) }),
      ...(bcc.length > 0 && { BccAddresses: list(bcc) }),
    },
    ...(replyTo.length > 0 && { ReplyToAddresses: list(replyTo) }),
    Content: {
      Simple: {
        Subject: utf8(subject),
        Body: {
          ...(text !== undefined && { Text: utf8(text) }),
          ...(html !== undefined && { Html: utf8(html) }),
        },
        ...(Object.keys(headers).length > 0 && { Headers: buildHeaders(headers) }),
        ...(attachments.length > 0 && { Attachments: attachments.map(buildAttachment) }),
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
    // Of the part in the MIME text that SES builds; its default is 7 bit.
    ContentTransferEncoding: 'BASE64',
    ...(cid !== undefined && { ContentId: cid }),
  };
}

/** SES takes a name outside of ASCII as encoded words only. */
function encoded({ name, address }: EmailAddress): string {
  return mailbox({ name: encodedWords(name), address });
}
