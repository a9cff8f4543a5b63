import { RecipientsError } from '@sendonce/core';
import { checkRecipient, type RecipientField } from '@sendonce/core/mail';
import type { MimeRoot, Replies } from './nodemailer-shapes.ts';

/** @internal The envelope of a message, fixed after all plugins have run. */
export interface FixedEnvelope {
  /** Each recipient once, with the field that names it: with To, if several do. */
  readonly recipients: ReadonlyMap<string, RecipientField>;
  /** What the server has replied for the recipients so far, if nodemailer shows it. */
  readonly replies: () => Replies | undefined;
}

/**
 * @internal Fixes the recipients after all plugins have run. nodemailer does not read the addresses
 * again.
 *
 * nodemailer 6.9 to 10 keep the replies for the recipients (`accepted`, `rejected`,
 * `rejectedErrors`) in the envelope object that they got from `getEnvelope()`, plain, pooled and
 * pipelined. No interface of nodemailer shows them before the final dot, so this relies on that
 * object. Of a version that keeps them elsewhere, `replies` knows nothing.
 *
 * @param allowed how many recipients the message may have.
 * @throws {RecipientsError} @throws {AddressError}
 */
export function fixEnvelope(message: MimeRoot, allowed: 'any' | 'one'): FixedEnvelope {
  const envelope = message.getEnvelope();
  const to: readonly unknown[] = Array.isArray(envelope.to)
    ? envelope.to
    : [envelope.to ?? []].flat();
  const addresses = to.map((one) => String(one).trim());
  if (allowed === 'one' && addresses.length !== 1) throw new RecipientsError(addresses.length);
  const recipients =
    allowed === 'one'
      ? new Map<string, RecipientField>([[addresses[0]!, 'to']])
      : findFields(new Set(addresses), message);
  for (const address of recipients.keys()) checkRecipient(address);
  const handedOver: (Replies & { readonly to: unknown })[] = [];
  message.getEnvelope = () => {
    // A new object each time, because transports change the envelope that they get.
    const copy = { ...envelope, to: [...recipients.keys()] };
    handedOver.push(copy);
    return copy;
  };
  const replies = () => handedOver.findLast(({ rejected }) => Array.isArray(rejected));
  return { recipients, replies };
}

/**
 * The user's own `envelope` may have recipients that the message does not name. They are copies,
 * unless no other recipient is in To.
 */
function findFields(
  addresses: ReadonlySet<string>,
  message: MimeRoot,
): Map<string, RecipientField> {
  const found = message.getAddresses();
  const [to, cc, bcc] = [found.to, found.cc, found.bcc].map(
    (list) => new Set(list?.map(({ address }) => address?.toLowerCase())),
  );
  // An `envelope` of the user may write an address in another case than the field does.
  const isIn = (field: ReadonlySet<string | undefined> | undefined, address: string) =>
    field!.has(address.toLowerCase());
  const hasTo = [...addresses].some((address) => isIn(to, address));
  const fieldOf = (address: string): RecipientField => {
    if (isIn(to, address)) return 'to';
    if (isIn(cc, address)) return 'cc';
    return hasTo || isIn(bcc, address) ? 'bcc' : 'to';
  };
  const recipients = new Map([...addresses].map((address) => [address, fieldOf(address)]));
  if (![...recipients.values()].includes('to')) throw new RecipientsError(addresses.size, 'to');
  return recipients;
}
