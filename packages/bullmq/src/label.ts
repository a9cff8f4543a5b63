import { catchRejection, warnOfCallback } from '@sendonce/core/ledger';

const LONGEST_LABEL = 200;

/** The label of an email. A label decides nothing, so a function that throws only leaves it out. */
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
