/**
 * Warns about what people have to mend, once for each subject: a warning for every email would hide the
 * next one. `--disable-warning=<code>` silences it.
 *
 * @param subject tells one occasion from another; never a text with an address.
 */
export function warnOnce(code: string, subject: string, message: string): void {
  const occasion = `${code} ${subject}`;
  if (warned.has(occasion) || warned.size >= MAX_OCCASIONS) return;
  warned.add(occasion);
  process.emitWarning(message, { type: 'SendonceWarning', code });
}

const warned = new Set<string>();
const MAX_OCCASIONS = 1_000;
