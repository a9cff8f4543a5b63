const LONGEST_LABEL = 200;

/** A name for people decides over no email: one that cannot be had is left out. */
export function labelOf<T>(label: ((of: T) => unknown) | undefined, of: T): string | undefined {
  try {
    const text = label?.(of);
    return typeof text === 'string' && text !== '' ? text.slice(0, LONGEST_LABEL) : undefined;
  } catch {
    return undefined;
  }
}
