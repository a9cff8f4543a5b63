import { type Claim, currentClaim, NotSentError, OptionError } from '@sendonce/core';
import {
  checkNames,
  checkOneOf,
  describe,
  errorCode,
  type OptionNames,
  registerDispatcher,
} from '@sendonce/core/ledger';
import { attachClaim, checkAddressFields, isProvider } from '@sendonce/core/mail';
import {
  isSmtp,
  type MailTransport,
  type MimeRoot,
  type SendCallback,
  type StreamPlugin,
  type StreamPluginMail,
} from './nodemailer-shapes.ts';
import { presetLaterEmails, takeBackPreset } from './preset-mime.ts';
import { fixEnvelope, type FixedEnvelope } from './recipients.ts';
import { sendUnderClaim } from './send-under-claim.ts';
import { isHostname, isRaw, stabiliseMime } from './stable-mime.ts';

/** The options of {@link dispatchAtSend} and `atSend()`. */
export interface DispatchAtSendOptions {
  /**
   * What to do with an email that no claim covers: `pass` sends it as without the plugin, `refuse`
   * fails the send with `NotSentError`.
   * @default 'pass'
   */
  readonly outsideClaim?: 'pass' | 'refuse' | undefined;
  /**
   * The part of the Message-ID after the `@`.
   * @default the domain of the From address, or 'sendonce.invalid' if it has none
   */
  readonly messageIdDomain?: string | undefined;
  /**
   * The name of a header that gets the claim's key, for a provider that reads an idempotency key
   * over SMTP: `Resend-Idempotency-Key`, `Idempotency-Key` (Lettermint), `X-EE-Idempotency-Key`
   * (EmailEngine). `replayWithinMs` may then be the provider's window. Raw messages are refused,
   * because no header can be added to them.
   * @default none
   */
  readonly idempotencyHeader?: string | undefined;
  /**
   * How many recipients an email under a claim may have. `any`: To, Cc and Bcc of one message are
   * one email, which is sent when the server accepts at least one To. `one`: more than one fails
   * with `RecipientsError`.
   * @default 'any'
   */
  readonly recipients?: 'any' | 'one' | undefined;
}

const OPTION_NAMES: OptionNames<DispatchAtSendOptions> = {
  outsideClaim: true,
  messageIdDomain: true,
  idempotencyHeader: true,
  recipients: true,
};

/**
 * A nodemailer plugin (6.9 to 10) that dispatches the current claim at the last moment before an
 * email can be sent, and reports the outcome. `atSend(transporter)` installs it. Use this function
 * only with a framework that installs the plugins.
 *
 * With SMTP, plain or pooled, that moment is between the last byte of the body and the final dot of
 * DATA: if anything fails before it, nothing was sent. Any other transport gets the message only
 * after the dispatch. Each attempt has the same Message-ID, Date and MIME boundary. On a provider
 * transport of this package the plugin only checks the email: the transport itself dispatches and
 * reports.
 *
 * Under a claim, a send can fail with these errors. Nothing was sent by it then.
 *
 * - `RecipientsError`: none of the recipients is in To, or `recipients` is `one` and there are
 *   several.
 * - `MailTransportError`: the server refused every recipient in To, so no copy (Cc, Bcc) was sent.
 * - `AddressError`: an address can be read in two ways.
 * - `SecondEmailError`: another email may already have been sent under the claim.
 * - `ClaimLostError`, `LedgerUnavailableError`: the ledger did not permit the dispatch.
 *
 * @throws {OptionError} for a wrong option.
 *
 * @example
 * transporter.use('stream', dispatchAtSend())
 */
export function dispatchAtSend(options?: DispatchAtSendOptions): StreamPlugin;
export function dispatchAtSend(
  options: DispatchAtSendOptions = {},
  callback?: (error: Error) => void,
): StreamPlugin {
  // Called as transporter.use('stream', dispatchAtSend): sendMail() would wait for ever.
  if (typeof callback === 'function') return refuseToBePlugin(callback);
  checkNames('dispatchAtSend()', options, OPTION_NAMES);
  const { outsideClaim = 'pass', messageIdDomain, idempotencyHeader, recipients = 'any' } = options;
  checkOneOf('outsideClaim', outsideClaim, ['pass', 'refuse']);
  checkOneOf('recipients', recipients, ['any', 'one']);
  checkDomain(messageIdDomain);
  checkHeaderName(idempotencyHeader);

  registerDispatcher();
  return (mail, callback) => {
    const claim = currentClaim();
    try {
      if (!('message' in mail) || !mail.message) throw wrongStepError();
      closeSources(mail);
      takeBackPreset(mail.data);
      presetLaterEmails(mail.mailer);
      if (claim) prepare(mail, claim, options);
      else if (outsideClaim === 'refuse') throw outsideClaimError();
    } catch (error) {
      callback(error as Error);
      return;
    }
    callback();
  };
}

function refuseToBePlugin(callback: (error: Error) => void): StreamPlugin {
  callback(
    new NotSentError(
      'The email was not sent: dispatchAtSend was installed without parentheses. Write transporter.use("stream", ' +
        'dispatchAtSend()), or atSend(transporter).',
    ),
  );
  return () => {};
}

function wrongStepError(): Error {
  return new NotSentError(
    'The email was not sent: dispatchAtSend() is installed for another step than "stream", where the message does ' +
      'not exist yet. Write transporter.use("stream", dispatchAtSend()), or atSend(transporter).',
  );
}

/** nodemailer 6 to 8 ignore these two options for a raw message. */
function closeSources({ message, data }: StreamPluginMail): void {
  const { disableFileAccess, disableUrlAccess } = data as Record<string, unknown>;
  if (disableFileAccess) Object.assign(message, { disableFileAccess });
  if (disableUrlAccess) Object.assign(message, { disableUrlAccess });
}

function prepare(
  mail: StreamPluginMail,
  claim: Claim,
  { messageIdDomain, idempotencyHeader, recipients = 'any' }: DispatchAtSendOptions,
): void {
  if (preparedSend(mail)) return;
  const { message } = mail;
  const transport = mail.mailer.transporter as MailTransport;
  checkUnderClaim(claim, () => {
    checkAddressFields(mail.data);
    if (idempotencyHeader && isRaw(mail.data)) throw rawMessageError();
    if (isSmtp(transport) && isOnlyTemplate(mail.data)) throw templateError();
  });
  // The provider transport begins, dispatches and reports.
  if (isProvider(transport)) {
    if (recipients === 'one') checkUnderClaim(claim, () => fixEnvelope(message as MimeRoot, 'one'));
    attachClaim(mail, claim);
    return;
  }
  stabiliseMime({ message: message as MimeRoot, data: mail.data }, claim, messageIdDomain);
  if (idempotencyHeader) (message as MimeRoot).setHeader(idempotencyHeader, claim.key);
  wrapSend(transport);
  setPreparedSend(mail, (callback, send) => {
    let envelope: FixedEnvelope;
    try {
      envelope = checkUnderClaim(claim, () => fixEnvelope(message as MimeRoot, recipients));
    } catch (error) {
      callback(error as Error);
      return;
    }
    const messageId = isRaw(mail.data) ? undefined : message.messageId();
    const smtp = isSmtp(transport);
    sendUnderClaim({ claim, message, envelope, smtp, messageId, send }, callback);
  });
}

/**
 * Runs a check, and reports "not sent" if it throws, because the claim may already be dispatched.
 */
function checkUnderClaim<T>(claim: Claim, check: () => T): T {
  try {
    return check();
  } catch (error) {
    claim.begin().report({ verdict: 'not-sent', note: errorCode(error), error });
    throw error;
  }
}

/** Sends a message under the claim that the plugin found. */
type PreparedSend = (callback: SendCallback, send: (callback: SendCallback) => void) => void;

// Global symbols on the objects: if two copies of this package are loaded, one may have wrapped the
// transport, and the other may have prepared the message.
const preparedKey = Symbol.for('@sendonce/mail/prepared-send');
const wrappedKey = Symbol.for('@sendonce/mail/wrapped');

function preparedSend(mail: object): PreparedSend | undefined {
  return (mail as { [preparedKey]?: PreparedSend })[preparedKey];
}

function setPreparedSend(mail: object, prepared: PreparedSend | undefined): void {
  Object.assign(mail, { [preparedKey]: prepared });
}

/** Wraps send() of a transport once, so that it sends prepared messages under their claims. */
function wrapSend(transport: MailTransport): void {
  if (wrappedKey in transport.send) return;
  const original = transport.send.bind(transport);
  const wrapped = (mail: object, callback: SendCallback) => {
    const prepared = preparedSend(mail);
    if (!prepared) return original(mail, callback);
    setPreparedSend(mail, undefined);
    prepared(callback, (done) => void original(mail, done));
    return undefined;
  };
  transport.send = Object.assign(wrapped, { [wrappedKey]: true });
}

function outsideClaimError(): Error {
  return new NotSentError(
    'The email was not sent: no claim covers it, and "outsideClaim" is "refuse". Send it inside ' +
      'once() or perform(), in the same asynchronous context, or use a transporter without the plugin.',
  );
}

function rawMessageError(): Error {
  return new NotSentError(
    'The email was not sent: a raw message cannot get the "idempotencyHeader". Give nodemailer its parts, ' +
      'or use a transporter without that option.',
  );
}

/**
 * Whether the content of an email is a template of a provider, which nodemailer ignores. A template
 * for a plugin that writes the content has no `id`, or its content by now.
 */
function isOnlyTemplate(data: object): boolean {
  const { template, html, text, raw } = data as Record<string, unknown>;
  if (typeof template !== 'object' || template === null || !('id' in template)) return false;
  return !html && !text && !raw;
}

function templateError(): Error {
  return new NotSentError(
    'The email was not sent: its content is a "template" of a provider, and SMTP would send it without any ' +
      'content. Use the transport of that provider, or give it "html" or "text".',
  );
}

function checkHeaderName(name: unknown): void {
  if (
    name === undefined ||
    (typeof name === 'string' && /^[A-Za-z][A-Za-z\d-]{0,63}$/.test(name))
  ) {
    return;
  }
  throw new OptionError(
    'idempotencyHeader',
    `Expected "idempotencyHeader" to be the name of a header such as "Resend-Idempotency-Key", got ${describe(name)}.`,
  );
}

function checkDomain(domain: unknown): void {
  if (domain === undefined || (typeof domain === 'string' && isHostname(domain))) return;
  throw new OptionError(
    'messageIdDomain',
    `Expected "messageIdDomain" to be a domain name such as "example.com", got ${describe(domain)}.`,
  );
}
