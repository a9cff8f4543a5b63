import { AddressError } from '@sendonce/core';

/**
 * Checks the address of one recipient before an email to it is scheduled, for example in `check` of
 * `delayedEmails()`: a bare address as `user@domain`, of at most 254 characters (RFC 5321, section
 * 4.5.3.1). Comments, quoted local parts and display names are refused: what is read in two ways
 * can reach another person.
 * @throws {AddressError} which never shows the address.
 */
export function checkAddress(address: unknown, field = 'to'): void {
  if (typeof address !== 'string' || address === '') throw new AddressError(field, 'is missing');
  refuseControl(address, field);
  if (address.length > 254) throw new AddressError(field, 'has more than 254 characters');
  if (!/^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()\\]+$/u.test(address)) {
    throw new AddressError(field, 'is not one bare address (user@domain)');
  }
}

const fields = ['from', 'sender', 'to', 'cc', 'bcc', 'replyTo'] as const;

/**
 * @internal Refuses line breaks in the addresses of a message. nodemailer takes the last address
 * that it finds in such a text: `a@…\r\nBcc: b@…` goes to b alone (measured with 6.10 and 10.6).
 */
export function checkAddressFields(data: object): void {
  const { envelope, ...message } = data as Record<string, unknown>;
  for (const field of fields) checkField(message[field], field);
  if (typeof envelope !== 'object' || envelope === null) return;
  for (const field of ['from', 'to']) {
    checkField((envelope as Record<string, unknown>)[field], `envelope.${field}`);
  }
}

function checkField(value: unknown, field: string): void {
  if (typeof value === 'string') {
    refuseControl(value, field);
  } else if (Array.isArray(value)) {
    for (const one of value) checkField(one, field);
  } else if (typeof value === 'object' && value !== null) {
    // A line break in a display name becomes a space; in an address it makes another one.
    const { address } = value as { readonly address?: unknown };
    checkField(address, field);
    // By now nodemailer may have made `"a@… Bcc: b"@…` of it, in the caller's own object.
    if (/^".*[@\s].*"@/u.test(String(address))) {
      throw new AddressError(field, 'is not one bare address (user@domain)');
    }
  }
}

function refuseControl(text: string, field: string): void {
  if (!/\p{Cc}/u.test(text)) return;
  throw new AddressError(field, 'contains a line break or control character');
}
