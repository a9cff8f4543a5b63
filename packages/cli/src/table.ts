import stringWidth from 'string-width';
import { stripControls, type Terminal } from './terminal.ts';
import { readWidth } from './wrap.ts';

export interface Column {
  readonly title: string;
  /** Aligns the column to the right, as for numbers. @default false */
  readonly right?: boolean;
  /** The column may be cut if the terminal is narrow. @default false */
  readonly mayShrink?: boolean;
  readonly paint?: (text: string) => string;
}

/** A column is not cut below this width. */
const MIN_WIDTH = 8;
const GAP = 2;

/**
 * Rows under titles, in aligned columns. On a terminal, a cell that does not fit is cut, with an
 * ellipsis. In a pipe the rows are whole, so that a file has everything and `grep` finds it.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  terminal: Pick<Terminal, 'paint' | 'columns' | 'env'>,
): string {
  const shown = rows.map((row) => row.map(stripControls));
  // An empty column is left out.
  const used = columns.map((_, index) => shown.some((row) => row[index] !== ''));
  const titles = columns.map(({ title }) => title);
  const lengths = columns.map((_, index) =>
    Math.max(...[titles, ...shown].map((row) => stringWidth(row[index] ?? ''))),
  );
  shrink(lengths, { columns, used, width: readWidth(terminal) ?? Infinity });
  const line = (row: readonly string[], painted: boolean) =>
    row
      .flatMap((cell, index) => {
        const { right, paint: own } = columns[index]!;
        if (!used[index]) return [];
        const text = cut(cell, lengths[index]!);
        const space = ' '.repeat(lengths[index]! - stringWidth(text));
        const coloured = painted && own ? own(text) : text;
        return [right ? space + coloured : coloured + space];
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  return [terminal.paint.dim(line(titles, false)), ...shown.map((row) => line(row, true))].join(
    '\n',
  );
}

interface Layout {
  readonly columns: readonly Column[];
  /** Whether each column is shown. */
  readonly used: readonly boolean[];
  readonly width: number;
}

/** Makes the longest columns shorter, until the row fits the width. */
function shrink(lengths: number[], { columns, used, width }: Layout): void {
  const total = () =>
    lengths.reduce((sum, length, index) => sum + (used[index] ? length + GAP : 0), -GAP);
  while (total() > width) {
    const longest = columns
      .map(({ mayShrink }, index) => (mayShrink && used[index] ? lengths[index]! : 0))
      .reduce((best, length, index, all) => (length > all[best]! ? index : best), 0);
    if (!columns[longest]!.mayShrink || lengths[longest]! <= MIN_WIDTH) return;
    lengths[longest]! -= 1;
  }
}

const graphemes = new Intl.Segmenter();

/** Shortens a text to `width` columns. A character of two columns is never halved. */
function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let short = '';
  for (const { segment } of graphemes.segment(text)) {
    if (stringWidth(short + segment) >= width) break;
    short += segment;
  }
  return `${short}…`;
}
