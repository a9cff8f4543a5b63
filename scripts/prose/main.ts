/**
 * `pnpm prose` lints the prose of the repository: Markdown, docstrings, comments, strings
 * and titles of tests. With paths, it lints only files below them. The words are in `words.yml`.
 * `--fix` wraps wide comments; all else is for people to write.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { proseFiles, root } from './files.ts';
import { type Finding, lint } from './lint.ts';
import { wrapComments } from './wrap.ts';

const paths = process.argv.slice(2).filter((argument) => argument !== '--fix');
const files = proseFiles().filter(
  (file) =>
    existsSync(join(root, file)) &&
    (paths.length === 0 || paths.some((path) => file === path || file.startsWith(`${path}/`))),
);
if (process.argv.includes('--fix')) files.forEach(fix);
const findings = files.flatMap((file) => lint(file, readFileSync(join(root, file), 'utf8')));
print(findings);
console.log(`${findings.length} finding(s) in ${files.length} file(s)`);
if (findings.length > 0) process.exitCode = 1;

function fix(file: string): void {
  const path = join(root, file);
  const source = readFileSync(path, 'utf8');
  const wrapped = wrapComments(file, source);
  if (wrapped !== source) writeFileSync(path, wrapped);
}

function print(rows: readonly Finding[]): void {
  const places = rows.map(({ path, line, column }) => `${path}:${line}:${column}`);
  const width = Math.max(0, ...places.map(({ length }) => length));
  const wordWidth = Math.max(0, ...rows.map(({ found }) => found.length));
  for (const [index, { found, better }] of rows.entries()) {
    console.log(`${places[index]!.padEnd(width)}  ${found.padEnd(wordWidth)} → ${better}`);
  }
}
