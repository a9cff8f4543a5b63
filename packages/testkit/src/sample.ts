import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';

/** The sample that has every case. */
export const everything = 'all';

/**
 * Which of the cases that are too many for each run are in this one. SENDONCE_SAMPLE names it, or
 * `all`; otherwise it is the commit's hash, so that a run can be repeated and another commit has
 * other cases.
 */
export function sampleOfThisRun(): string {
  return process.env['SENDONCE_SAMPLE'] || commit() || 'no commit';
}

/** One case in `oneIn`, evenly over the list. Two lists with different names differ. */
export function sampleOf<T>(
  cases: readonly T[],
  { name, oneIn, sample }: { name: string; oneIn: number; sample: string },
): T[] {
  if (sample === everything) return [...cases];
  const first = numberOf(`${sample} ${name}`, oneIn);
  return cases.filter((_case, index) => index % oneIn === first);
}

/** One of them. */
export function oneOf<T>(cases: readonly [T, ...T[]], name: string, sample: string): T {
  return cases[numberOf(`${sample} ${name}`, cases.length)]!;
}

function numberOf(text: string, below: number): number {
  return createHash('sha256').update(text).digest().readUInt32BE() % below;
}

function commit(): string | undefined {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // A copy without its history.
    return undefined;
  }
}
