import { coverEveryTo, describeRefusals, type RecipientField } from '@sendonce/core/mail';
import type { Email } from './email.ts';
import type { Accepted } from './provider.ts';

/**
 * @internal Reads an answer that accepts an email and names the recipients who do not get it. If
 * they are all of To, a copy (Cc, Bcc) has left without them: that is a doubt, because a retry
 * would send the copy again.
 *
 * @param email undefined for a call of an SDK, whose fields are not known.
 * @param refused the addresses in lower case.
 * @param code why they do not get it.
 */
export function withRefused(
  sent: { readonly messageId: string } | undefined,
  email: Email | undefined,
  { refused, code }: { readonly refused: ReadonlySet<string>; readonly code?: string | undefined },
): Accepted {
  if (!sent || refused.size === 0) return sent;
  // Whether they are all of To is not known.
  if (!email) return { state: 'unknown', code: 'some_recipients_refused', ...sent };
  const fields = (['to', 'cc', 'bcc'] as const).flatMap((field) =>
    email[field].map(({ address }): [RecipientField, string] => [field, address.toLowerCase()]),
  );
  const refusals = fields
    .filter(([, address]) => refused.has(address))
    .map(([field]) => ({ field, code }));
  // An address that is written in another way than it was sent (IDN, a comment) may be that of To.
  const isUnknown = [...refused].some((one) => !fields.some(([, address]) => address === one));
  if (isUnknown) return { state: 'unknown', code: 'some_recipients_refused', ...sent };
  const isLost = coverEveryTo(
    refusals,
    fields.map(([field]) => field),
  );
  if (isLost) return { state: 'unknown', code: 'to_refused', ...sent };
  return { ...sent, refused: describeRefusals(refusals) };
}
