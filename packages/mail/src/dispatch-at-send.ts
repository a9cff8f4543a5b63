import {
  type Claim,
  currentClaim,
  NotSentError,
  OptionError,
  RecipientsError,
} from '@sendonce/core';
import {
  checkNames,
  checkOneOf,
  describe,
  errorCode,
  type OptionNames,
  registerDispatcher,
} from '@sendonce/core/ledger';
import { checkAddressFields, checkRecipient } from './addresses.ts';
import {
  isProvider,
  isSmtp,
  attachClaim,
  type MailTransport,
  type MimeRoot,
  type SendCallback,
  type StreamPlugin,
  type StreamPluginMail,
} from './nodemailer-shapes.ts';
import { sendUnderClaim } from './send-under-claim.ts';
import { isHostname, isRaw, stabiliseMime } from './stable-mime.ts';

export interface DispatchAtSendOptions {
  /**
   * What to do with an email that no claim covers: `pass` sends it as without the plugin, `refuse`
   * fails the send.
   * @default 'pass'
   */
  readonly outsideClaim?: 'pass' | 'refuse' | undefined;
  /**
   * The part of the Message-ID after the `@`.
   * @default the domain of the From address, or 'sendonce.invalid' where it has none
   */
  readonly messageIdDomain?: string | undefined;
  /**
   * A header of the email that gets the claim's key, for a provider that knows its emails by it
   * over SMTP: `Resend-Idempotency-Key`, `Idempotency-Key` (Lettermint), `X-EE-Idempotency-Key`
   * (EmailEngine). Then `replayWithinMs` may be the provider's window. Raw messages are refused:
   * they cannot carry it.
   * @default none
   */
  readonly idempotencyHeader?: string | undefined;
}

const OPTION_NAMES: OptionNames<DispatchAtSendOptions> = {
  outsideClaim: true,
  messageIdDomain: true,
  idempotencyHeader: true,
};

/**
 * A nodemailer plugin (6.9 to 10) that dispatches the current claim at the last instant before an
 * email can leave, and reports what became of it.
 *
 * With SMTP, plain or pooled, the instant is between the last byte of the body and the final dot of
 * DATA: if anything breaks before it, nothing was sent. Any other transport gets the message only
 * after the dispatch. Each attempt carries the same Message-ID, Date and MIME boundary. On a
 * provider transport of this package the plugin only checks: the transport itself dispatches and
 * reports.
 *
 * The send fails with a `RecipientsError` unless the email has exactly one recipient, with an
 * `AddressError` for an address that can be read in two ways, with a `SecondEmailError` when one has already
 * left under the claim, and with a `ClaimLostError` or a `LedgerUnavailableError` when the ledger
 * did not let it go; nothing was sent then.
 *
 * `atSend(transporter)` installs it. This function is for frameworks that install plugins by themselves.
 *
 * @example
 * transporter.use('stream', dispatchAtSend())
 */
export function dispatchAtSend(options?: DispatchAtSendOptions): StreamPlugin;
export function dispatchAtSend(
  options: DispatchAtSendOptions = {},
  callback?: (error: Error) => void,
): StreamPlugin {
  // transporter.use('stream', dispatchAtSend), without parentheses: sendMail() would wait for ever.
  if (typeof callback === 'function') return refuseToBePlugin(callback);
  checkNames('dispatchAtSend()', options, OPTION_NAMES);
  const { outsideClaim = 'pass', messageIdDomain, idempotencyHeader } = options;
  checkOneOf('outsideClaim', outsideClaim, ['pass', 'refuse']);
  checkDomain(messageIdDomain);
  checkHeaderName(idempotencyHeader);

  registerDispatcher();
  return (mail, callback) => {
    const claim = currentClaim();
    try {
      if (!('message' in mail) || !mail.message) throw wrongStepError();
      closeSources(mail);
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

/** nodemailer 6 to 8 leave these two out for a raw message. */
function closeSources({ message, data }: StreamPluginMail): void {
  const { disableFileAccess, disableUrlAccess } = data as Record<string, unknown>;
  if (disableFileAccess) Object.assign(message, { disableFileAccess });
  if (disableUrlAccess) Object.assign(message, { disableUrlAccess });
}

function prepare(
  mail: StreamPluginMail,
  claim: Claim,
  { messageIdDomain, idempotencyHeader }: DispatchAtSendOptions,
): void {
  if (preparedSend(mail)) return;
  const { message } = mail;
  const transport = mail.mailer.transporter as MailTransport;
  checkUnderClaim(claim, () => {
    checkAddressFields(mail.data);
    if (idempotencyHeader && isRaw(mail.data)) throw rawMessageError();
  });
  // It begins, dispatches and reports on its own.
  if (isProvider(transport)) {
    attachClaim(mail, claim);
    return;
  }
  stabiliseMime({ message: message as MimeRoot, data: mail.data }, claim, messageIdDomain);
  if (idempotencyHeader) (message as MimeRoot).setHeader(idempotencyHeader, claim.key);
  wrapSend(transport);
  setPreparedSend(mail, (callback, send) => {
    try {
      checkUnderClaim(claim, () => fixEnvelope(message));
    } catch (error) {
      callback(error as Error);
      return;
    }
    const messageId = isRaw(mail.data) ? undefined : message.messageId();
    sendUnderClaim({ claim, message, smtp: isSmtp(transport), messageId, send }, callback);
  });
}

/**
 * Reports what a check throws: "not sent" must be known even where the claim is dispatched already.
 */
function checkUnderClaim(claim: Claim, check: () => void): void {
  try {
    check();
  } catch (error) {
    claim.begin().report({ verdict: 'not-sent', note: errorCode(error), error });
    throw error;
  }
}

/**
 * Called after all plugins. The addresses are not read again, so this is the recipient who gets it.
 */
function fixEnvelope(message: StreamPluginMail['message']): void {
  const envelope = message.getEnvelope();
  const { to } = envelope;
  const count = Array.isArray(to) ? to.length : to ? 1 : 0;
  if (count !== 1) throw new RecipientsError(count);
  checkRecipient([to].flat()[0]);
  // Transports write into it.
  message.getEnvelope = () => ({ ...envelope });
}

/** Sends a message under the claim that the plugin saw. */
type PreparedSend = (callback: SendCallback, send: (callback: SendCallback) => void) => void;

// On the objects themselves and under global symbols: with two copies of this package one may have
// wrapped the transport and the other have seen the message.
const preparedKey = Symbol.for('@sendonce/mail/prepared-send');
const wrappedKey = Symbol.for('@sendonce/mail/wrapped');

function preparedSend(mail: object): PreparedSend | undefined {
  return (mail as { [preparedKey]?: PreparedSend })[preparedKey];
}

function setPreparedSend(mail: object, prepared: PreparedSend | undefined): void {
  Object.assign(mail, { [preparedKey]: prepared });
}

/** Lets a transport's send() use what was prepared for the message, once per transport. */
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
