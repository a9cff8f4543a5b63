import { type CallExpression, type Comment, parseSync, Visitor } from 'oxc-parser';
import { blank, hide, type Piece } from './piece.ts';

/** Names of functions whose first argument is the title of a test. */
const TEST = /^(it|test|describe)\b/;

/** Docstrings, comments, and the strings and titles that people read. */
export function typescriptPieces(path: string, source: string): Piece[] {
  const { program, comments } = parseSync(path, source);
  return [...commentPieces(source, comments), ...stringPieces(source, program)];
}

/** The lines of a comment that begin with `//` are one piece. */
export function commentPieces(source: string, comments: readonly Comment[]): Piece[] {
  const ranges: { start: number; end: number }[] = [];
  for (const { type, start, end } of comments) {
    const last = ranges.at(-1);
    if (type === 'Line' && last && /^\n *$/.test(source.slice(last.end, start))) last.end = end;
    else ranges.push({ start, end });
  }
  return ranges.map(({ start, end }) => commentPiece(start, source.slice(start, end)));
}

/** A comment of TypeScript or CSS. */
export function commentPiece(start: number, comment: string): Piece {
  return {
    kind: comment.startsWith('/**') ? 'docstring' : 'comment',
    start,
    text: comment
      .replace(/```[^]*?```/g, blank)
      .replace(/^\/\*+|\*\/$|^\s*\*|^\s*\/\//gm, blank)
      .replace(/`[^`]*`|\{@link [^}]*\}|https?:\S+/g, hide),
  };
}

function stringPieces(source: string, program: ReturnType<typeof parseSync>['program']): Piece[] {
  const titles = new Set<number>();
  const pieces: Piece[] = [];
  const add = (start: number, text: string): void => {
    const isTitle = titles.has(start);
    const readable = text.replace(/\\[nt]/g, '  ').replace(/`[^`]*`|https?:\S+/g, hide);
    pieces.push({ kind: isTitle ? 'title' : 'string', start, text: readable });
  };
  new Visitor({
    CallExpression(call) {
      if (isTest(call, source) && call.arguments[0]) titles.add(call.arguments[0].start);
    },
    Literal(node) {
      if (typeof node.value === 'string') add(node.start, source.slice(node.start, node.end));
    },
    TemplateLiteral(node) {
      let text = source.slice(node.start, node.end);
      for (const { start, end } of node.expressions) {
        const [from, to] = [start - node.start, end - node.start];
        text = text.slice(0, from) + hide(text.slice(from, to)) + text.slice(to);
      }
      // The backticks of a template are no quoted code.
      add(node.start, `"${text.slice(1, -1)}"`);
    },
  }).visit(program);
  // A lone word in lower case is a name that only code reads.
  return joined(pieces, source).filter(
    ({ kind, text }) => kind === 'title' || /\s|^.[A-Z]/.test(text),
  );
}

/** `it('…')`, `it.skip('…')`, `describe.each(…)('…')`. */
function isTest(call: CallExpression, source: string): boolean {
  const { start, end } = call.callee;
  return TEST.test(source.slice(start, end));
}

/** One piece for strings that are joined by `+`, so that a phrase is found across them. */
function joined(pieces: readonly Piece[], source: string): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces.toSorted((one, other) => one.start - other.start)) {
    const last = result.at(-1);
    const end = last && last.start + last.text.length;
    const between = end === undefined || end > piece.start ? '' : source.slice(end, piece.start);
    if (last && /^\s*\+\s*$/.test(between)) {
      const text = last.text.slice(0, -1) + blank(`'${between}'`) + piece.text.slice(1);
      result[result.length - 1] = { ...last, text };
    } else {
      result.push(piece);
    }
  }
  return result;
}
