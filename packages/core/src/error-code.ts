/**
 * A short code of an error, for a record: its reply code, its `code`, or its name. Never the
 * message, which may hold an address.
 *
 * @example errorCode(Object.assign(new Error('no route'), { code: 'ETIMEDOUT' })); // "ETIMEDOUT"
 */
export function errorCode(error: unknown): string {
  try {
    const { responseCode, code, name } = (error ?? {}) as Record<string, unknown>;
    for (const part of [responseCode, code, name]) {
      if (typeof part === 'number') return String(part);
      if (typeof part === 'string' && /^[\w.-]{1,40}$/.test(part)) return part;
    }
  } catch {
    // A proxy, or a getter that throws.
  }
  return 'error';
}
