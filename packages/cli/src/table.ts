import { harmless, type Terminal } from './terminal.ts';

export interface Column {
  readonly title: string;
  /** Numbers end at the same place. @default false */
  readonly right?: boolean;
  /** May be cut where the terminal is narrow. @default false */
  readonly mayShrink?: boolean;
  readonly paint?: (text: string) => string;
}

const LEAST = 8;
const GAP = 2;

/** Rows under titles, with columns that line up. What does not fit the terminal is cut, with an ellipsis. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { paint, columns: width }: Pick<Terminal, 'paint' | 'columns'>,
): string {
  const shown = rows.map((row) => row.map(harmless));
  // A column without anything in it tells nothing.
  const used = columns.map((_, index) => shown.some((row) => row[index] !== ''));
  const titles = columns.map(({ title }) => title);
  const lengths = columns.map((_, index) =>
    Math.max(...[titles, ...shown].map((row) => lengthOf(row[index] ?? ''))),
  );
  shrink(lengths, columns, used, width);
  const line = (row: readonly string[], painted: boolean) =>
    row
      .flatMap((cell, index) => {
        const { right, paint: own } = columns[index]!;
        if (!used[index]) return [];
        const text = cut(cell, lengths[index]!);
        const space = ' '.repeat(lengths[index]! - lengthOf(text));
        const coloured = painted && own ? own(text) : text;
        return [right ? space + coloured : coloured + space];
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  return [paint.dim(line(titles, false)), ...shown.map((row) => line(row, true))].join('\n');
}

function shrink(
  lengths: number[],
  columns: readonly Column[],
  used: readonly boolean[],
  width: number | undefined,
): void {
  if (width === undefined) return;
  const total = () =>
    lengths.reduce((sum, length, index) => sum + (used[index] ? length + GAP : 0), -GAP);
  while (total() > width) {
    // The longest one gives way first.
    const longest = columns
      .map(({ mayShrink }, index) => (mayShrink && used[index] ? lengths[index]! : 0))
      .reduce((best, length, index, all) => (length > all[best]! ? index : best), 0);
    if (!columns[longest]!.mayShrink || lengths[longest]! <= LEAST) return;
    lengths[longest]! -= 1;
  }
}

const graphemes = new Intl.Segmenter();

function lengthOf(text: string): number {
  return [...graphemes.segment(text)].length;
}

function cut(text: string, length: number): string {
  const parts = [...graphemes.segment(text)];
  if (parts.length <= length) return text;
  return `${parts
    .slice(0, length - 1)
    .map(({ segment }) => segment)
    .join('')}…`;
}
