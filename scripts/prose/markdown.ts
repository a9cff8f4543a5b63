import type { Nodes, Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { gfmTable } from 'micromark-extension-gfm-table';
import { blank, CODE, hide, type Piece } from './piece.ts';

/** Where a sentence ends and the next one begins on the same line. */
const END_OF_SENTENCE = new RegExp(`[.!?][)"'*_\\]${CODE}]*[ \\t]+(?=["'(*_[]*[A-Z${CODE}])`, 'g');

/** Words that end with a full stop and end no sentence. */
const ABBREVIATION = /\b(e\.g|i\.e|etc|vs|cf|no|approx)\.\W*$/i;

/** Headings, paragraphs and cells of tables, without code and addresses. */
export function markdownPieces(source: string): Piece[] {
  const pieces: Piece[] = [];
  visit(parse(source), (node) => {
    if (!['heading', 'paragraph', 'tableCell'].includes(node.type)) return true;
    const [start, end] = rangeOf(node);
    const text = masked(node, source.slice(start, end), start);
    pieces.push({ kind: 'markdown', start, text, isParagraph: node.type === 'paragraph' });
    return false;
  });
  return pieces;
}

/** Offsets in a text at which a second sentence begins on a line. */
export function crowdedSentences(text: string): number[] {
  return Array.from(text.matchAll(END_OF_SENTENCE))
    .filter((match) => !ABBREVIATION.test(text.slice(0, match.index + 1)))
    .map((match) => match.index + match[0].length);
}

function parse(source: string): Root {
  // Front matter of the site's pages is no Markdown.
  const text = source.replace(/^---\n[^]*?\n---\n/, blank);
  return fromMarkdown(text, {
    extensions: [gfmTable()],
    mdastExtensions: [gfmTableFromMarkdown()],
  });
}

/** The text of a node with its code hidden, and with its addresses and tags blanked. */
function masked(node: Nodes, text: string, offset: number): string {
  let result = text.replace(/^[ \t]*>/gm, blank);
  const replaceRange = (start: number, end: number, by: (part: string) => string): void => {
    const [from, to] = [start - offset, end - offset];
    result = result.slice(0, from) + by(text.slice(from, to)) + result.slice(to);
  };
  visit(node, (child) => {
    const [start, end] = rangeOf(child);
    if (child.type === 'inlineCode') replaceRange(start, end, hide);
    if (child.type === 'html' || child.type === 'image') replaceRange(start, end, blank);
    if (child.type === 'link') {
      const last = child.children.at(-1);
      // `[text](address)`: all behind the text; `<address>` is hidden.
      const isAddress = text[start - offset] !== '[';
      if (isAddress || !last) replaceRange(start, end, hide);
      else replaceRange(rangeOf(last)[1] + 1, end, blank);
    }
    return true;
  });
  return result;
}

/** Calls the function with each node; goes into the children if it returns true. */
function visit(node: Nodes, enter: (node: Nodes) => boolean): void {
  if (!enter(node) || !('children' in node)) return;
  for (const child of node.children) visit(child, enter);
}

function rangeOf(node: Nodes): [start: number, end: number] {
  return [node.position!.start.offset!, node.position!.end.offset!];
}
