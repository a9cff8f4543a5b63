import { stripVTControlCharacters } from 'node:util';
import type { Terminal } from './terminal.ts';

/** The width of what people read, if it is not written to a terminal. */
const DEFAULT_WIDTH = 80;

/**
 * Breaks long lines at spaces. The lines that follow begin below the last column of the first one:
 * below the description of an option, or as far in as the line itself.
 */
export function wrap(text: string, { columns }: Partial<Pick<Terminal, 'columns'>> = {}): string {
  const width = columns ?? DEFAULT_WIDTH;
  return text
    .split('\n')
    .map((line) => (lengthOf(line) <= width ? line : wrapLine(line, width)))
    .join('\n');
}

function wrapLine(line: string, width: number): string {
  const lead = /^ *(?:\S+(?: \S+)* {2,})*/.exec(line)![0];
  const indent = lengthOf(lead) <= (width * 2) / 3 ? lengthOf(lead) : /^ */.exec(line)![0].length;
  const lines = [lead];
  for (const word of line.slice(lead.length).split(' ')) {
    const last = lines.at(-1)!;
    const isFirst = lengthOf(last.trimEnd()) === 0 || last === lead;
    const longer = isFirst ? last + word : `${last} ${word}`;
    if (isFirst || lengthOf(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(' '.repeat(indent) + word);
  }
  return lines.join('\n');
}

function lengthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
