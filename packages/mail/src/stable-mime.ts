import { createHash } from 'node:crypto';
import { domainToASCII } from 'node:url';
import { type Claim, messageIdOf } from '@sendonce/core';
import type { MimeRoot } from './nodemailer-shapes.ts';

/**
 * @internal Makes every attempt of an email the same bytes: Message-ID, Date and MIME boundary come
 * from the claim, unless the user set them. Receivers that drop a second copy, and people who
 * search a mail log, use these.
 */
export function stabiliseMime(
  { message, data }: { readonly message: MimeRoot; readonly data: object },
  claim: Claim,
  messageIdDomain: string | undefined,
): void {
  // A raw message is sent unchanged, and its headers are not in this tree.
  if (isRaw(data)) return;
  // The tree always has a Message-ID: nodemailer generates one.
  if (!givenByUser(data, 'messageId', 'message-id')) {
    const domain = messageIdDomain ?? senderDomain(message);
    message.setHeader('Message-ID', messageIdOf(claim.key, domain));
  }
  if (!message.getHeader('Date') && claim.emailDateMs !== undefined) {
    const date = new Date(claim.emailDateMs).toUTCString().replace('GMT', '+0000');
    message.setHeader('Date', date);
  }
  // nodemailer derives the boundaries from this later, when it writes the headers.
  if (mayHaveParts(message, data) && !('baseBoundary' in data && data.baseBoundary)) {
    message.baseBoundary = boundaryFor(claim.key, data);
  }
}

/** An email of one part has no boundary. Without the hash of its content it costs 8 us less. */
function mayHaveParts({ childNodes }: MimeRoot, data: object): boolean {
  // A Content-Type among the `headers` of the user may ask for a boundary.
  return childNodes?.length !== 0 || Boolean((data as { headers?: unknown }).headers);
}

/**
 * @internal Whether a header is a field of the email, or among its `headers` (an object, or a list
 * of pairs).
 */
export function givenByUser(data: object, field: string, header: string): boolean {
  const fields = data as Record<string, unknown>;
  if (fields[field]) return true;
  const { headers } = fields;
  if (typeof headers !== 'object' || headers === null) return false;
  const names = Array.isArray(headers)
    ? headers.map((pair: { key?: unknown } | null) => pair?.key)
    : Object.keys(headers);
  return names.some((name) => String(name).trim().toLowerCase() === header);
}

/** @internal Whether the user gave the complete message, with its headers. */
export function isRaw(data: object): boolean {
  return 'raw' in data && Boolean(data.raw);
}

function senderDomain(message: MimeRoot): string {
  const from = message.getAddresses().from?.[0]?.address ?? message.getEnvelope().from;
  const domain =
    typeof from === 'string' ? domainToASCII(from.slice(from.lastIndexOf('@') + 1)) : '';
  return isHostname(domain) ? domain : 'sendonce.invalid';
}

/**
 * @internal Whether a text has only letters, digits, dots and hyphens, as is safe in a Message-ID.
 */
export function isHostname(text: string): boolean {
  return text.length <= 253 && /^[a-z\d-]+(\.[a-z\d-]+)*$/i.test(text);
}

const contentFields = [
  'text',
  'html',
  'watchHtml',
  'amp',
  'icalEvent',
  'alternatives',
  'attachments',
];

/**
 * Derives the boundary from the key and the content. From the key alone, a stranger who knows the
 * parts of the key could write a text that contains the boundary, and so add parts to the email.
 */
function boundaryFor(key: string, data: object): string {
  const hash = createHash('sha256').update(key);
  const add = (value: unknown, depth: number): void => {
    if (typeof value === 'string' || Buffer.isBuffer(value)) hash.update('\0').update(value);
    else if (Array.isArray(value)) for (const part of value) add(part, depth);
    else if (typeof value === 'object' && value !== null && 'content' in value && depth > 0) {
      add(value.content, depth - 1);
    }
  };
  for (const field of contentFields) add((data as Record<string, unknown>)[field], 1);
  return hash.digest('hex').slice(0, 32);
}
