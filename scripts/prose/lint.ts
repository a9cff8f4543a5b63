import { fileURLToPath } from 'node:url';
import prh from 'prh';
import { crowdedSentences, markdownPieces } from './markdown.ts';
import { blank, hide, type Kind, type Piece } from './piece.ts';
import { commentPiece, typescriptPieces } from './typescript.ts';

/** A word, a width or a line that is against the rules. */
export interface Finding {
  readonly rule: 'word' | 'sentence' | 'width';
  readonly kind: Kind;
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly found: string;
  readonly better: string;
}

export const MAX_COLUMNS = 100;

const words = prh.fromYAMLFilePath(fileURLToPath(new URL('words.yml', import.meta.url)));
// A phrase is found across lines.
for (const rule of words.rules) {
  rule.pattern = new RegExp(rule.pattern.source.replaceAll(' ', '\\s+'), rule.pattern.flags);
}

/** Everything that the rules find in one file. The path is relative to the root. */
export function lint(path: string, source: string): Finding[] {
  const pieces = piecesOf(path, source);
  return [
    ...pieces.flatMap((piece) => findWords(path, source, piece)),
    ...pieces.flatMap((piece) => findCrowdedLines(path, source, piece)),
    ...pieces.filter(isComment).flatMap((piece) => findWideLines(path, source, piece)),
  ].toSorted((one, other) => one.line - other.line || one.column - other.column);
}

/** The prose of a file that the rules are for. */
export function piecesOf(path: string, source: string): Piece[] {
  if (path.endsWith('.md')) return markdownPieces(source);
  if (/\.(lua|sql)$/.test(path)) return dashedComments(source);
  if (path.endsWith('.css')) return cssComments(source);
  if (/\.ya?ml$/.test(path)) return yamlTexts(source);
  // People read what programs print. The strings of tests are data.
  const isTest = /(^|\/)test\/|\.test\.ts$/.test(path);
  return typescriptPieces(path, source).filter(({ kind }) => !isTest || kind !== 'string');
}

/** Runs of lines that begin with `--`, and what follows it at the end of a line. */
function dashedComments(source: string): Piece[] {
  return Array.from(source.matchAll(/(?<=^|\s)--[^\n]*(\n\s*--[^\n]*)*/g), (match) => ({
    kind: 'comment',
    start: match.index,
    text: match[0].replace(/^\s*--/gm, blank).replace(/`[^`]*`/g, hide),
  }));
}

function cssComments(source: string): Piece[] {
  return Array.from(source.matchAll(/\/\*[^]*?\*\//g), ({ 0: comment, index }) =>
    commentPiece(index, comment),
  );
}

/** The comments of a YAML file, and what an alert says. */
function yamlTexts(source: string): Piece[] {
  const texts = source.matchAll(/(?<=^|\s)#[^\n]*|(?<=^\s*(?:summary|description):)[^\n]*/gm);
  return Array.from(texts, (match) => ({
    kind: match[0].startsWith('#') ? 'comment' : 'string',
    start: match.index,
    text: match[0].replace(/`[^`]*`|\{\{[^}]*\}\}/g, hide),
  }));
}

export function isComment({ kind }: Piece): boolean {
  return kind === 'comment' || kind === 'docstring';
}

function findWords(path: string, source: string, piece: Piece): Finding[] {
  return words.makeChangeSet('', piece.text).diffs.map(({ index, matches, expected }) => {
    const found = matches[0]!.trim().replace(/\s+/g, ' ');
    const place = placeOf(source, piece.start + index);
    return { rule: 'word', kind: piece.kind, path, ...place, found, better: expected! };
  });
}

function findCrowdedLines(path: string, source: string, piece: Piece): Finding[] {
  if (!piece.isParagraph) return [];
  return crowdedSentences(piece.text).map((index) => {
    const offset = piece.start + index;
    const found = `${source.slice(offset).match(/^\S*/)![0]} …`;
    const better = 'begin each sentence on a new line';
    return { rule: 'sentence', kind: piece.kind, path, ...placeOf(source, offset), found, better };
  });
}

function findWideLines(path: string, source: string, piece: Piece): Finding[] {
  const first = placeOf(source, piece.start).line;
  const last = placeOf(source, piece.start + piece.text.length).line;
  return source
    .split('\n')
    .slice(first - 1, last)
    .flatMap((text, index) => {
      // An address cannot be wrapped, and a table or a directive for a tool must not be.
      if (text.length <= MAX_COLUMNS || /^\W*\S+$|^\W*\||oxlint-|@ts-/.test(text)) return [];
      const place = { line: first + index, column: MAX_COLUMNS + 1 };
      const found = `${text.length} columns`;
      const better = `wrap the comment at ${MAX_COLUMNS} columns`;
      return [{ rule: 'width', kind: piece.kind, path, ...place, found, better } as const];
    });
}

function placeOf(source: string, offset: number): { line: number; column: number } {
  const before = source.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}
