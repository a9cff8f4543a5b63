import type { Email, EmailAddress } from './email.ts';
import { mailbox } from './mailbox.ts';

/**
 * @internal The body for the APIs of Resend and Lettermint, with addresses as `name <address>`. An
 * email with a template may have no From and no subject.
 */
export function mailboxBody(email: Email): object {
  const { from, to, cc, bcc, replyTo, subject, html, text, headers, attachments } = email;
  const { template } = email;
  const list = (addresses: readonly EmailAddress[]) => addresses.map(mailbox);
  return {
    ...(from.address && { from: mailbox(from) }),
    to: list(to),
    ...(cc.length > 0 && { cc: list(cc) }),
    ...(bcc.length > 0 && { bcc: list(bcc) }),
    ...(replyTo.length > 0 && { reply_to: list(replyTo) }),
    ...((subject || !template) && { subject }),
    ...(template && { template: { id: template.id, variables: template.variables } }),
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
