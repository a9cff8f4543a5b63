import { median } from '@sendonce/testkit';
import { align } from '../report/align.ts';
import { setups } from '../results.ts';
import type { PairedCell } from './measure-rounds.ts';

/** One table: a row for each cell, with a mark where "after" is lower beyond the spread. */
export function renderComparison(cells: readonly PairedCell[]): string {
  const rows = cells.map((cell) => {
    const { system, processor, setup, before, after } = cell;
    const ratios = after.map((ratio, round) => ratio / before[round]!);
    return [
      `${system}, ${processor}, ${setups[setup].title}`,
      spread(before),
      spread(after),
      spread(ratios),
      isLower(cell) ? 'LOWER' : '',
    ];
  });
  const lower = cells.filter(isLower).length;
  return [
    align([['cell', 'before', 'after', 'after / before', ''], ...rows]),
    '',
    'before, after: jobs per second as a ratio to bare BullMQ in the same process (median of 3 rounds).',
    'after / before: of the two processes of a round. Median (lowest-highest) of the rounds.',
    'LOWER: the median after is below every round before, and the median before above every round after.',
    `${lower} of ${cells.length} cells are LOWER.`,
    '',
  ].join('\n');
}

/** Whether "after" is below "before" by more than both vary from round to round. */
export function isLower({ before, after }: Pick<PairedCell, 'before' | 'after'>): boolean {
  return median(after) < Math.min(...before) && median(before) > Math.max(...after);
}

function spread(values: readonly number[]): string {
  const [middle, from, to] = [median(values), Math.min(...values), Math.max(...values)];
  return `${middle.toFixed(3)} (${from.toFixed(3)}-${to.toFixed(3)})`;
}
