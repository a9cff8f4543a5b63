/**
 * A short code of an error, for a record: its reply code, its `code`, or its name. Never the message,
 * which may hold an address.
 */
export function errorCode(error: unknown): string {
  const { responseCode, code, name } = (error ?? {}) as Record<string, unknown>;
  for (const part of [responseCode, code, name]) {
    if (typeof part === 'number' || (typeof part === 'string' && /^[\w.-]{1,40}$/.test(part))) {
      return String(part);
    }
  }
  return 'error';
}
