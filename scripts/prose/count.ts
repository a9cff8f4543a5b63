/**
 * `pnpm prose:count <commit>` prints how often the words of `words.yml` were found at that commit
 * and are found now, as a table for Markdown.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { git, hasProse, proseFiles, root } from './files.ts';
import { lint, piecesOf } from './lint.ts';
import type { Kind } from './piece.ts';

const COLUMNS: Record<Kind, string> = {
  markdown: 'docs',
  docstring: 'docstrings',
  string: 'errors and other strings',
  comment: 'comments',
  title: 'test titles',
};
const KINDS = Object.keys(COLUMNS) as Kind[];
const TOTALS = ['all of the list', 'words in total'];

/** Occurrences of each word, and of all words, by kind. */
type Counts = Map<string, Record<Kind, number>>;

const commit = process.argv[2];
if (!commit) throw new Error('Give the commit to compare with: pnpm prose:count <commit>');
const before = countAt(commit);
const now = count(root, proseFiles());
const cells = (word: string): string[] =>
  KINDS.map((kind) => `${before.get(word)?.[kind] ?? 0} → ${now.get(word)?.[kind] ?? 0}`);
console.log(`| ${['word', ...KINDS.map((kind) => COLUMNS[kind])].join(' | ')} |`);
console.log(`| --- |${' ---: |'.repeat(KINDS.length)}`);
const words = [...before.keys(), ...now.keys()].filter((word) => !TOTALS.includes(word));
for (const word of new Set([...words, ...TOTALS])) {
  console.log(`| ${[word, ...cells(word)].join(' | ')} |`);
}

function countAt(ref: string): Counts {
  const folder = mkdtempSync(join(tmpdir(), 'sendonce-prose-'));
  try {
    const archive = execFileSync('git', ['archive', ref], { cwd: root, maxBuffer: 2 ** 30 });
    execFileSync('tar', ['-x', '-C', folder], { input: archive });
    const paths = git('ls-tree', '-r', '--name-only', '-z', ref).split('\0').filter(hasProse);
    return count(folder, paths);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function count(folder: string, paths: readonly string[]): Counts {
  const counts: Counts = new Map();
  const total = emptyRow();
  const found = emptyRow();
  for (const path of paths.filter((each) => existsSync(join(folder, each)))) {
    const source = readFileSync(join(folder, path), 'utf8');
    for (const { kind, text } of piecesOf(path, source)) {
      total[kind] += text.match(/\p{L}[\p{L}'’-]*/gu)?.length ?? 0;
    }
    for (const finding of lint(path, source)) {
      if (finding.rule !== 'word') continue;
      const word = finding.found.toLowerCase();
      if (!counts.has(word)) counts.set(word, emptyRow());
      counts.get(word)![finding.kind] += 1;
      found[finding.kind] += 1;
    }
  }
  const byFrequency = [...counts].toSorted(([, one], [, other]) => sum(other) - sum(one));
  return new Map([...byFrequency, [TOTALS[0]!, found], [TOTALS[1]!, total]]);
}

function emptyRow(): Record<Kind, number> {
  return { markdown: 0, docstring: 0, string: 0, comment: 0, title: 0 };
}

function sum(row: Record<Kind, number>): number {
  return Object.values(row).reduce((one, other) => one + other, 0);
}
