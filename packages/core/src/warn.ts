import { withErrorPage } from './errors.ts';

/**
 * Warns about what people have to fix, once for each subject: a warning for every email would hide
 * the next one. `--disable-warning=<code>` silences it. The text ends as {@link withErrorPage}
 * says.
 *
 * @param subject tells one occasion from another; never a text with an address.
 */
export function warnOnce(code: string, subject: string, message: string): void {
  const occasion = `${code} ${subject}`;
  if (warned.has(occasion) || warned.size >= MAX_OCCASIONS) return;
  warned.add(occasion);
  warn(code, message);
}

/**
 * A process warning that ends with the address of the page about its code.
 * See {@link warnOnce}.
 */
export function warn(code: string, message: string): void {
  process.emitWarning(withErrorPage(message, code), { type: 'SendonceWarning', code });
}

const warned = new Set<string>();
const MAX_OCCASIONS = 1_000;

/**
 * A callback of the user that fails must not decide over an email.
 * See {@link catchRejection}.
 */
export function warnOfCallback(error: unknown): void {
  // As text: Node would format an object later, where an error that cannot be shown ends the
  // process.
  process.emitWarning(textOf(error));
}

function textOf(error: unknown): string {
  try {
    const text: unknown = error instanceof Error ? (error.stack ?? error.message) : error;
    return `A callback failed: ${String(text)}`;
  } catch {
    return 'A callback failed, with an error that cannot be shown.';
  }
}

/**
 * Handles the rejection of a promise where none was expected. Without a handler it would end the
 * process.
 *
 * @returns whether the value is a promise.
 *
 * @example catchRejection(onEvent(event), warnOfCallback);
 */
export function catchRejection(value: unknown, onRejected: (error: unknown) => void): boolean {
  if (typeof value !== 'object' || value === null) return false;
  try {
    if (typeof (value as PromiseLike<unknown>).then !== 'function') return false;
    (value as PromiseLike<unknown>).then(undefined, onRejected);
  } catch (error) {
    onRejected(error);
  }
  return true;
}
