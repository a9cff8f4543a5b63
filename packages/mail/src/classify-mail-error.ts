import { isSendonceError, type Verdict } from '@sendonce/core';
import { errorCode } from '@sendonce/core/ledger';

/**
 * How far an email had come: `before-dot` (the final dot of DATA cannot have been written),
 * `after-dot` (it may have been), `unknown`.
 */
export type MailPhase = 'before-dot' | 'after-dot' | 'unknown';

// nodemailer gives these only before the body is complete, in every version (measured, 6.10 to
// 10.6). ECONNECTION, ESOCKET, ETIMEDOUT, EPROTOCOL and EABORT come before and after the dot.
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
 * Says what an error of nodemailer means for the email. Before the dot everything is `not-sent`;
 * after it only a complete 4xx (`refused`) or 5xx (`rejected`) reply says something, all else is
 * `unknown`.
 *
 * Without a phase only what is certain at any time is certain: use it as `classify` where the
 * plugin is not installed.
 *
 * @example
 * await perform(() => transporter.sendMail(mail), { ledger, key, classify: classifyMailError })
 */
export function classifyMailError(error: unknown, phase: MailPhase = 'unknown'): Verdict {
  if (phase === 'before-dot') return 'not-sent';
  if (isSendonceError(error)) {
    // Only those that a send ends with: others may come from elsewhere, after the email left.
    return unsentCodes.some((code) => isSendonceError(error, code)) ? 'not-sent' : 'unknown';
  }
  const found = (error ?? {}) as MailError;
  const reply = replyToBody(found);
  if (reply !== undefined) return classifyReply(reply);
  return phase === 'unknown' && isSurelyNotSent(found) ? 'not-sent' : 'unknown';
}

/** What a complete reply to the final dot means. */
export function classifyReply(code: number): Verdict {
  if (code >= 200 && code <= 299) return 'sent';
  if (code >= 400 && code <= 499) return 'refused';
  if (code >= 500 && code <= 599) return 'rejected';
  return 'unknown';
}

/**
 * A short code for people: `552`, `ETIMEDOUT`. Never text of a reply, which may hold an address.
 */
export function mailErrorNote(error: unknown): string {
  const { code, responseCode } = (error ?? {}) as MailError;
  // nodemailer gives an incomplete reply's code to an error of the connection, see below.
  const isComplete = code === 'EMESSAGE' || code === 'EENVELOPE' || code === 'SENDONCE_PROVIDER';
  return errorCode(isComplete && responseCode !== undefined ? { responseCode } : { code });
}

// A reply whose line end never came ("451", then close) has a responseCode too, on an ECONNECTION:
// only EMESSAGE is made from complete lines.
function replyToBody({ code, command, responseCode }: MailError): number | undefined {
  if (code !== 'EMESSAGE' || command !== 'DATA' || typeof responseCode !== 'number')
    return undefined;
  return responseCode;
}

function isSurelyNotSent(error: MailError): boolean {
  const { code, command, timeoutType, syscall, originalCode } = error;
  if (typeof code === 'string' && surelyNotSent.has(code)) return true;
  if (typeof timeoutType === 'string' && timeoutsBeforeMail.has(timeoutType)) return true;
  // Too large for the server, or empty: found before anything was written.
  if (code === 'EMESSAGE' && (command === 'API' || command === 'MAIL FROM')) return true;
  return syscall === 'connect' || originalCode === 'ECONNREFUSED';
}
