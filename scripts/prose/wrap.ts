import { isComment, MAX_COLUMNS, piecesOf } from './lint.ts';
import { hide } from './piece.ts';

/** A line of a comment: what is before its text, its text, and the end of a block comment. */
const LINE = /^(?<lead>\s*(?:\/\/|--|#|\/?\*+(?!\/)))(?<gap> *)(?<text>.*?)(?<end> *\*\/)?$/;

/** What is not broken. */
const CODE = /`[^`]*`|\{@link [^}]*\}/g;

/** Lines that begin something new, and are not filled up from the line before. */
const BEGINS = /^(?:[-*@|#]|\d+\.|```|$)/;

/**
 * Wraps the comments of a source that are wider than the limit. What is too much for a line goes to
 * the front of the next line of its paragraph. Code blocks, tables, and comments behind code stay.
 */
export function wrapComments(path: string, source: string): string {
  let result = source;
  for (const { start, text } of piecesOf(path, source).filter(isComment).toReversed()) {
    const from = result.lastIndexOf('\n', start) + 1;
    const to = start + text.length;
    result = result.slice(0, from) + wrapComment(result.slice(from, to)) + result.slice(to);
  }
  return result;
}

function wrapComment(comment: string): string {
  const input = comment.split('\n');
  const output: string[] = [];
  let isCode = false;
  for (let index = 0; index < input.length; index += 1) {
    const line = input[index]!;
    if (/^\s*\*\s*```/.test(line)) isCode = !isCode;
    else if (/^\s*\*\s*@/.test(line)) isCode = line.includes('@example');
    const parts = LINE.exec(line)?.groups;
    const isFixed = isCode || !parts || /oxlint-|@ts-|^\|/.test(parts['text'] ?? '');
    if (line.length <= MAX_COLUMNS || isFixed) {
      output.push(line);
      continue;
    }
    const { lead, gap, text, end } = parts as Record<'lead' | 'gap' | 'text' | 'end', string>;
    if (/^\s*\/\*/.test(line) && end) {
      // `/** A long line. */` becomes a block of three lines, whose second one is looked at next.
      const indent = /^\s*/.exec(line)![0];
      output.push(lead);
      input.splice(index + 1, 0, `${indent} * ${text}`, `${indent} */`);
      continue;
    }
    const space = line.replace(CODE, hide).lastIndexOf(' ', MAX_COLUMNS);
    if (space <= (lead + gap).length) {
      output.push(line);
      continue;
    }
    // The lines after the first one of an item are indented as the text of the item is.
    const item = /^(?:[-*]|\d+\.) |^@\w+ /.exec(text)?.[0] ?? '';
    const hang = item.startsWith('@') ? '' : ' '.repeat(item.length);
    output.push(line.slice(0, space));
    const rest = line.slice(space + 1);
    const next = LINE.exec(input[index + 1] ?? '')?.groups;
    const isSame = next && next['lead'] === lead && !BEGINS.test(next['text']!) && !next['end'];
    if (isSame) input[index + 1] = `${lead}${next['gap']}${rest} ${next['text']}`;
    else input.splice(index + 1, 0, `${lead}${gap}${hang}${rest}`);
  }
  return output.join('\n');
}
