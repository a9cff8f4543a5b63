import { isSendonceError, type Verdict } from '@sendonce/core';
import { errorCode } from '@sendonce/core/ledger';

/**
 * How far an email had come when it failed: `before-dot` (the final dot of DATA was not written),
 * `after-dot` (the dot may have been written), or `unknown`.
 */
export type MailPhase = 'before-dot' | 'after-dot' | 'unknown';

// nodemailer uses these codes only before the body is complete (measured with 6.10 to 10.6).
// ECONNECTION, ESOCKET, ETIMEDOUT, EPROTOCOL and EABORT occur before and after the dot.
const surelyNotSent = new Set([
  'EAUTH',
  'ECONFIG',
  'EDNS',
  'EENVELOPE',
  'EFETCH',
  'EFILEACCESS',
  'EMAXRECIPIENTS',
  'ENOAUTH',
  'EOAUTH2',
  'EPROXY',
  'EREQUIRETLS',
  'ESTREAM',
  'ETLS',
  'EURLACCESS',
]);

const timeoutsBeforeMail = new Set(['CONNECT_TIMEOUT', 'GREETING_TIMEOUT', 'UPGRADE_TIMEOUT']);

const unsentCodes = ['SENDONCE_NOT_SENT', 'SENDONCE_CLAIM_LOST', 'SENDONCE_RECIPIENTS'] as const;

interface MailError {
  readonly code?: unknown;
  readonly command?: unknown;
  readonly responseCode?: unknown;
  readonly timeoutType?: unknown;
  readonly syscall?: unknown;
  readonly originalCode?: unknown;
}

/**
 * Classifies an error of nodemailer: was the email sent? Before the dot the answer is `not-sent`.
 * After the dot it is `refused` for a complete 4xx reply, `rejected` for a complete 5xx reply, and
 * otherwise `unknown`.
 *
 * Without a phase, it is `not-sent` only for errors that always occur before the dot. Use it as
 * `classify` if the plugin is not installed.
 *
 * @param phase how far the email had come. @default 'unknown'
 *
 * @example
 * await perform(() => transporter.sendMail(mail), { ledger, key, classify: classifyMailError })
 */
export function classifyMailError(error: unknown, phase: MailPhase = 'unknown'): Verdict {
  if (phase === 'before-dot') return 'not-sent';
  if (isSendonceError(error)) {
    // Other sendonce errors may come from code that ran after the email was sent.
    return unsentCodes.some((code) => isSendonceError(error, code)) ? 'not-sent' : 'unknown';
  }
  const found = (error ?? {}) as MailError;
  const reply = replyToBody(found);
  if (reply !== undefined) return classifyReply(reply);
  return phase === 'unknown' && isSurelyNotSent(found) ? 'not-sent' : 'unknown';
}

/** The verdict of a complete reply to the final dot. */
export function classifyReply(code: number): Verdict {
  if (code >= 200 && code <= 299) return 'sent';
  if (code >= 400 && code <= 499) return 'refused';
  if (code >= 500 && code <= 599) return 'rejected';
  return 'unknown';
}

/**
 * A short code for an error of nodemailer, such as `552` or `ETIMEDOUT`. It never contains text of
 * the server's reply, which may hold an address.
 *
 * @example logger.warn({ error: mailErrorNote(error) })
 */
export function mailErrorNote(error: unknown): string {
  const { code, responseCode } = (error ?? {}) as MailError;
  // An error of the connection may have the code of an incomplete reply, see below.
  const isComplete = code === 'EMESSAGE' || code === 'EENVELOPE' || code === 'SENDONCE_PROVIDER';
  return errorCode(isComplete && responseCode !== undefined ? { responseCode } : { code });
}

// A reply without its line end ("451", then close) sets responseCode as well, on an ECONNECTION
// error. Only EMESSAGE is made of complete lines.
function replyToBody({ code, command, responseCode }: MailError): number | undefined {
  if (code !== 'EMESSAGE' || command !== 'DATA' || typeof responseCode !== 'number')
    return undefined;
  return responseCode;
}

function isSurelyNotSent(error: MailError): boolean {
  const { code, command, timeoutType, syscall, originalCode } = error;
  if (typeof code === 'string' && surelyNotSent.has(code)) return true;
  if (typeof timeoutType === 'string' && timeoutsBeforeMail.has(timeoutType)) return true;
  // The email is empty or too large for the server. nodemailer checks that before it writes.
  if (code === 'EMESSAGE' && (command === 'API' || command === 'MAIL FROM')) return true;
  return syscall === 'connect' || originalCode === 'ECONNREFUSED';
}
