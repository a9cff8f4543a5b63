import type { EmailAddress } from './email.ts';

/**
 * @internal An address as a string, such as `Ada <ada@example.org>`. The name is quoted if RFC 5322
 * requires it.
 */
export function mailbox({ name, address }: EmailAddress): string {
  if (!name) return address;
  const plain = /^[\p{L}\p{N} !#$%&'*+/=?^_`{|}~-]+$/u.test(name);
  const quoted = plain ? name : `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  return `${quoted} <${address}>`;
}

/** @internal An address as `{ email, name }`, for several APIs. */
export function contact({ name, address }: EmailAddress): object {
  return { email: address, ...(name && { name }) };
}
