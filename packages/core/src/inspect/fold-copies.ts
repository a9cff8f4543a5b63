import type { JournalEntry } from '../journal.ts';

/**
 * One step, or copies of a job that came one after the other.
 * See {@link foldCopies}.
 */
export type StepGroup = readonly [JournalEntry, ...JournalEntry[]];

/**
 * Folds copies of a job that came one after the other, so that a viewer can show them as one line.
 *
 * @example
 * for (const [step, ...copies] of foldCopies(history)) print(step, copies.length);
 */
export function foldCopies(history: readonly JournalEntry[]): readonly StepGroup[] {
  const groups: [JournalEntry, ...JournalEntry[]][] = [];
  for (const entry of history) {
    const last = groups.at(-1);
    const isCopy = entry.type === 'busy' || entry.type === 'duplicate';
    if (isCopy && last?.[0].type === entry.type) last.push(entry);
    else groups.push([entry]);
  }
  return groups;
}
