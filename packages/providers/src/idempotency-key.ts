import { KeyError } from '@sendonce/core';

/**
 * @internal Converts the 128 bits of a key to a UUID of version 8 (RFC 9562, section 5.8). Six bits
 * become version and variant.
 * @throws {KeyError} for a key that does not have 128 bits.
 */
export function toUuid(key: string): string {
  const bytes = Buffer.from(key, 'base64url');
  if (bytes.length !== 16) {
    throw new KeyError(
      'Expected the key to come from deriveKey(): 22 characters of base64url (128 bits). The ' +
        'email was not sent.',
    );
  }
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}

/** @internal The header in which most providers accept the key. */
export function keyHeader(key: string | undefined): { readonly 'idempotency-key'?: string } {
  return key === undefined ? {} : { 'idempotency-key': key };
}
