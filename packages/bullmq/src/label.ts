import { catchRejection, warnOfCallback } from '@sendonce/core/ledger';

const LONGEST_LABEL = 200;

/** The label of an email. If the function throws, the entry has no label and the email is sent. */
export function labelFor<T>(
  label: ((email: T) => unknown) | undefined,
  email: T,
): string | undefined {
  try {
    const text = label?.(email);
    catchRejection(text, warnOfCallback);
    return typeof text === 'string' && text !== '' ? text.slice(0, LONGEST_LABEL) : undefined;
  } catch {
    return undefined;
  }
}
