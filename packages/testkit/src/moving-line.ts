/** What a line is written to. */
export interface LineOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** One line that changes, on a terminal; elsewhere `show` and `clear` do nothing. */
export function movingLine(output: LineOutput) {
  const moves = output.isTTY === true;
  const clear = () => {
    if (moves) output.write('\r\u001B[K');
  };
  return {
    moves,
    clear,
    show: (text: string): void => {
      if (!moves) return;
      clear();
      // A line that wraps could not be taken back.
      output.write(text.slice(0, (output.columns ?? 80) - 1));
    },
  };
}

/** How much is done, in twenty characters. */
export function bar(done: number, of: number): string {
  const width = 20;
  const filled = of === 0 ? 0 : Math.round((done / of) * width);
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
}
