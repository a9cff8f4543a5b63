import type { EmailAddress } from './email.ts';

/**
 * @internal `Ada "Countess" <ada@example.org>` as a string, its name quoted where it needs to be
 * (RFC 5322).
 */
export function mailbox({ name, address }: EmailAddress): string {
  if (!name) return address;
  const plain = /^[\p{L}\p{N} !#$%&'*+/=?^_`{|}~-]+$/u.test(name);
  const quoted = plain ? name : `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  return `${quoted} <${address}>`;
}

/** @internal `{ email, name }`, as several APIs take an address. */
export function contact({ name, address }: EmailAddress): object {
  return { email: address, ...(name && { name }) };
}
