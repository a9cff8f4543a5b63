import type { Email, EmailAddress } from './email.ts';
import { mailbox } from './mailbox.ts';

/** @internal The body for the APIs of Resend and Lettermint, with addresses as `name <address>`. */
export function mailboxBody(email: Email): object {
  const { from, to, cc, bcc, replyTo, subject, html, text, headers, attachments } = email;
  const list = (addresses: readonly EmailAddress[]) => addresses.map(mailbox);
  return {
    from: mailbox(from),
    to: list(to),
    ...(cc.length > 0 && { cc: list(cc) }),
    ...(bcc.length > 0 && { bcc: list(bcc) }),
    ...(replyTo.length > 0 && { reply_to: list(replyTo) }),
    subject,
    ...(html !== undefined && { html }),
    ...(text !== undefined && { text }),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(attachments.length > 0 && {
      attachments: attachments.map(({ filename, content, contentType, cid }) => ({
        filename,
        content,
        content_type: contentType,
        ...(cid !== undefined && { content_id: cid }),
      })),
    }),
  };
}
