/**
 * A table: the first column to the left, the others to the right. Cells are painted when their
 * width is known.
 */
export function align(
  rows: readonly (readonly string[])[],
  paint: (text: string, row: number) => string = (text) => text,
): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row, index) =>
      row
        .map((text, column) => {
          const gap = ' '.repeat(widths[column]! - text.length);
          return column === 0 ? text + gap : gap + paint(text, index);
        })
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}
