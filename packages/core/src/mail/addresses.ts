import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { types } from 'node:util';
import { AddressError } from '../errors.ts';
import { explainAmbiguity, readAddressList } from './address-list.ts';

/**
 * Throws unless `address` is one bare address (`user@domain`) that every mail program reads in the
 * same way. Use it before you schedule an email, for example in `check` of `delayedEmails()`.
 *
 * An address has at most 254 bytes, 64 of them before the `@` (RFC 5321, section 4.5.3.1).
 * Comments, quoted local parts, display names, encoded words and invisible characters are refused,
 * because an address that can be read in two ways can reach another person. Dots in the wrong place
 * (`x..y@…`) and impossible domains (`a@-`) are refused as well.
 *
 * @param field the name that the error shows for the address.
 * @throws {AddressError} that names the problem. The message never shows the address.
 *
 * @example delayedEmails(queue, { ledger, key, check: (notice) => checkAddress(notice.to) })
 */
export function checkAddress(address: unknown, field = 'to'): void {
  if (typeof address !== 'string' || address === '') throw new AddressError(field, 'is missing');
  refuseControl(address, field);
  const problem = explainLength(address) ?? explainAmbiguity(address) ?? explainForm(address);
  if (problem !== undefined) throw new AddressError(field, problem);
}

function explainLength(address: string): string | undefined {
  return Buffer.byteLength(address) > 254 ? 'has more than 254 characters' : undefined;
}

function explainForm(address: string): string | undefined {
  const at = address.lastIndexOf('@');
  const user = address.slice(0, at);
  if (Buffer.byteLength(user) > 64) return 'has more than 64 characters before the "@"';
  if (/^\.|\.\.|\.$/.test(user)) return 'has a dot in the wrong place before the "@"';
  return isDomain(address.slice(at + 1)) ? undefined : 'has a domain that cannot exist';
}

function isDomain(domain: string): boolean {
  const literal = /^\[(?:IPv6:)?(.*)\]$/i.exec(domain);
  if (literal) return isIP(literal[1]!) === (/^\[IPv6:/i.test(domain) ? 6 : 4);
  const ascii = /^[!-~]+$/.test(domain) ? domain : domainToASCII(domain);
  const labels = ascii.split('.');
  if (ascii.length > 253 || /^\d+$/.test(labels.at(-1)!)) return false;
  return labels.every((label) => /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i.test(label));
}

const fields = ['from', 'sender', 'to', 'cc', 'bcc', 'replyTo'] as const;
const headers = new Set(['from', 'sender', 'to', 'cc', 'bcc', 'reply-to']);

/**
 * Refuses addresses of a message that can be read in two ways or contain line breaks.
 * nodemailer sends to the last address that it finds in such a text, so that `a@…\r\nBcc: b@…` goes
 * to b alone (measured with 6.10 and 10.6).
 */
export function checkAddressFields(data: object): void {
  const { envelope, headers, ...message } = data as Record<string, unknown>;
  for (const field of fields) checkField(message[field], field);
  for (const [name, value] of addressHeaders(headers)) checkField(value, `headers.${name}`);
  if (typeof envelope !== 'object' || envelope === null) return;
  for (const field of ['from', 'to', 'cc', 'bcc']) {
    checkField((envelope as Record<string, unknown>)[field], `envelope.${field}`);
  }
}

/** The address headers in nodemailer's `headers`, an object or a list of `{ key, value }`. */
function addressHeaders(given: unknown): [string, unknown][] {
  if (typeof given !== 'object' || given === null) return [];
  const pairs: [unknown, unknown][] = Array.isArray(given)
    ? (given as ({ key?: unknown; value?: unknown } | null)[]).map((one) => [one?.key, one?.value])
    : Object.entries(given);
  return pairs
    .map(([name, value]): [string, unknown] => [toHeaderName(name), value])
    .filter(([name]) => headers.has(name));
}

function toHeaderName(name: unknown): string {
  return String(name)
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .toLowerCase();
}

/**
 * Checks the address that a transport gets. nodemailer 9 and 10 write `x..y@…` as
 * `"x..y"@…`, which is the same address.
 */
export function checkRecipient(recipient: unknown): void {
  checkOne(String(recipient).replace(/^"([^"\\]*)"@/, '$1@'), 'to');
}

function checkField(value: unknown, field: string): void {
  if (typeof value === 'string' || types.isStringObject(value)) {
    checkText(String(value), field);
  } else if (Array.isArray(value)) {
    for (const one of value) checkField(one, field);
  } else if (typeof value === 'object' && value !== null) {
    checkOne((value as { readonly address?: unknown }).address, field);
  }
}

function checkText(text: string, field: string): void {
  refuseControl(text, field);
  // nodemailer finds no address in this text.
  if (!text.includes('@')) return;
  const addresses = readAddressList(text);
  if (!addresses) throw new AddressError(field, 'can be read in more than one way');
  for (const address of addresses) checkOne(address, field);
}

/**
 * Checks one address. nodemailer may have changed an address with a line break to `"a@… Bcc: b"@…`
 * in the caller's own object.
 */
function checkOne(value: unknown, field: string): void {
  // nodemailer converts any value to a string as well.
  // oxlint-disable-next-line typescript/no-base-to-string
  const address = String(value ?? '').trim();
  refuseControl(address, field);
  const problem = address.includes('@') ? explainAmbiguity(address) : undefined;
  if (problem !== undefined) throw new AddressError(field, problem);
}

function refuseControl(text: string, field: string): void {
  if (!/\p{Cc}/u.test(text)) return;
  throw new AddressError(field, 'contains a line break or control character');
}
