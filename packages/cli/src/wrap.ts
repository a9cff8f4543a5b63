import stringWidth from 'string-width';
import type { Terminal } from './terminal.ts';

/** The width of what people read, if it is not written to a terminal. */
const DEFAULT_WIDTH = 80;

type Width = Partial<Pick<Terminal, 'columns' | 'env'>>;

/** The columns of the terminal; in a pipe those of COLUMNS, or undefined. */
export function readWidth({ columns, env }: Width): number | undefined {
  if (columns !== undefined) return columns;
  const given = Number(env?.['COLUMNS']);
  return Number.isInteger(given) && given > 0 ? given : undefined;
}

/** How many columns a line of a text may have. */
export function textWidth(terminal: Width): number {
  return readWidth(terminal) ?? DEFAULT_WIDTH;
}

/**
 * Breaks long lines at spaces. The lines that follow begin below the last column of the first one:
 * below the description of an option, or as far in as the line itself.
 */
export function wrap(text: string, terminal: Width = {}): string {
  const width = textWidth(terminal);
  return text
    .split('\n')
    .map((line) => (stringWidth(line) <= width ? line : wrapLine(line, width)))
    .join('\n');
}

function wrapLine(line: string, width: number): string {
  const lead = /^ *(?:\S+(?: \S+)* {2,})*/.exec(line)![0];
  const leadWidth = stringWidth(lead);
  const indent = leadWidth <= (width * 2) / 3 ? leadWidth : /^ */.exec(line)![0].length;
  const lines = [lead];
  for (const word of line.slice(lead.length).split(' ')) {
    const last = lines.at(-1)!;
    const isFirst = last.trim() === '' || last === lead;
    const longer = isFirst ? last + word : `${last} ${word}`;
    if (isFirst || stringWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(' '.repeat(indent) + word);
  }
  return lines.join('\n');
}
