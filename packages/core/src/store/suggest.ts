/**
 * The nearest known word: at most two letters differ, or only upper and lower case.
 *
 * @example suggest('retries', ['retry', 'list']); // undefined
 * suggest('rety', ['retry', 'list']); // "retry"
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  return known
    .map((name) => ({ name, distance: distanceBetween(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.min(2, name.length - 2))
    .toSorted((one, other) => one.distance - other.distance)[0]?.name;
}

/** The Levenshtein distance: how many letters must be added, removed or replaced. */
function distanceBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const replaced = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
