import type { Verdict } from '@sendonce/core';
import { coverEveryTo, describeRefusals, type Refusal } from '@sendonce/core/mail';
import { classifyReply } from './classify-mail-error.ts';
import { MailTransportError } from './mail-transport-error.ts';
import type { Replies } from './nodemailer-shapes.ts';
import type { FixedEnvelope } from './recipients.ts';

type Recipients = FixedEnvelope['recipients'];

/** @internal What the replies for the recipients mean for the email as a whole. */
export type Judgement =
  /** It is sent to at least one To, and `refused` are the others: `cc 550, bcc 451 x2`, or ''. */
  | { readonly verdict: 'sent'; readonly refused: string }
  | {
      readonly verdict: Exclude<Verdict, 'sent' | 'not-sent'>;
      readonly error: Error;
      readonly note?: string;
    };

/**
 * @internal Judges the replies to RCPT: a copy without a recipient in To must not leave. Undefined
 * if a To was accepted, or if the replies are not known.
 */
export function judgeBeforeDot({
  recipients,
  replies,
}: FixedEnvelope): Exclude<Judgement, { verdict: 'sent' }> | undefined {
  const refusals = findRefusals(recipients, replies());
  if (!coverEveryTo(refusals, recipients.values())) return undefined;
  const code = decisiveCode(refusals.filter(({ field }) => field === 'to'));
  const verdict = code >= 500 && code <= 599 ? 'rejected' : 'refused';
  const error = refusedError(verdict, {
    who: 'every recipient in "to"',
    when: 'at RCPT',
    code,
    more: ' Its copies (Cc, Bcc) were not sent either.',
  });
  return { verdict, error };
}

/**
 * @internal Judges the replies that came after the dot. A server that speaks LMTP replies for each
 * recipient, and nodemailer resolves also if all are refused.
 *
 * @param reply the last reply, for a transport that gives no codes of its recipients.
 */
export function judgeAfterDot(
  recipients: Recipients,
  replies: Replies | undefined,
  reply: unknown,
): Judgement {
  const refusals = findRefusals(recipients, replies, reply);
  if (!coverEveryTo(refusals, recipients.values())) {
    return { verdict: 'sent', refused: describeRefusals(refusals) };
  }
  // Sent again, it would reach the others twice. Recorded as sent, it would be dropped silently.
  if (refusals.length < recipients.size) {
    const message =
      'The server accepted a copy (Cc or Bcc) and refused every recipient in "to" after DATA. The email is in ' +
      'doubt, because a retry would send the copy again. Decide which is better, then resolve the doubt.';
    const error = new MailTransportError('yes', message);
    return { verdict: 'unknown', error, note: `refused: ${describeRefusals(refusals)}` };
  }
  const who = recipients.size === 1 ? 'the only recipient' : 'every recipient';
  const code = decisiveCode(refusals);
  const verdict = classifyReply(code);
  // A 2xx reply beside a refused recipient contradicts itself.
  if (verdict === 'refused' || verdict === 'rejected') {
    return { verdict, error: refusedError(verdict, { who, when: 'after DATA', code }) };
  }
  const message =
    `The server's reply for ${recipients.size === 1 ? who : 'a recipient'} cannot be read. The email may have been sent: ` +
    "check the server's log, then resolve the doubt.";
  return { verdict: 'unknown', error: new MailTransportError('maybe', message) };
}

/** nodemailer adds to `rejected` and to `rejectedErrors` at the same time. */
function findRefusals(
  recipients: Recipients,
  { accepted, rejected, rejectedErrors }: Replies = {},
  reply?: unknown,
): Refusal[] {
  if (!Array.isArray(accepted) || !Array.isArray(rejected)) return [];
  const last = accepted.length === 0 ? /^\d{3}(?=[ -])/.exec(String(reply))?.[0] : undefined;
  return rejected.map((address, index) => {
    const code = Number(rejectedErrors?.[index]?.responseCode ?? last);
    return { field: recipients.get(String(address)) ?? 'to', code: code || undefined };
  });
}

/** The reply that decides for all: one that cannot be read, or else a temporary one. */
function decisiveCode(refusals: readonly Refusal[]): number {
  const codes = refusals.map(({ code }) => Number(code));
  const isPermanent = (code: number) => code >= 500 && code <= 599;
  return (
    codes.find((code) => !(code >= 400 && code <= 599)) ??
    codes.find((code) => !isPermanent(code)) ??
    codes[0]!
  );
}

function refusedError(
  verdict: 'refused' | 'rejected',
  {
    who,
    when,
    code,
    more = '',
  }: {
    readonly who: string;
    readonly when: string;
    readonly code: number;
    readonly more?: string;
  },
): MailTransportError {
  const [how, then] =
    verdict === 'refused' ? ['temporarily', 'Retry later'] : ['permanently', 'Correct the cause'];
  const text = code ? ` with ${code}` : '';
  const message = `The server refused ${who} ${how} ${when}${text}. The email was not sent.${more} ${then}.`;
  return new MailTransportError('no', message, code ? { responseCode: code } : {});
}
