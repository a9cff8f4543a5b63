/** The field of a message that names a recipient. */
export type RecipientField = 'to' | 'cc' | 'bcc';

/** A recipient that the server or provider refused. */
export interface Refusal {
  readonly field: RecipientField;
  /** The code of the reply, if there is one that can be read. */
  readonly code: string | number | undefined;
}

/**
 * Describes refused recipients by counts and codes, never by their addresses: `to 550, bcc 451 x2`.
 * It is the `refused` of a report about a sent email.
 */
export function describeRefusals(refusals: readonly Refusal[]): string {
  const counts = new Map<string, number>();
  for (const field of ['to', 'cc', 'bcc']) {
    for (const refusal of refusals.filter((one) => one.field === field)) {
      const text = `${field} ${refusal.code ?? 'without a code'}`;
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
  }
  const parts = [...counts].map(([text, count]) => (count === 1 ? text : `${text} x${count}`));
  // A hostile server may give each recipient its own code, and a note has at most 200 characters.
  return parts.join(', ').slice(0, 180);
}

/** Whether no recipient in To is left. */
export function coverEveryTo(
  refusals: readonly Pick<Refusal, 'field'>[],
  recipients: Iterable<RecipientField>,
): boolean {
  const count = (fields: Iterable<RecipientField>) =>
    [...fields].filter((field) => field === 'to').length;
  return count(refusals.map(({ field }) => field)) >= count(recipients);
}
