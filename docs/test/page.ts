import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { root } from '../site/repository.ts';

export { root };

/** A fenced block of code. */
export interface Block {
  /** The path of the page, from the root of the repository. */
  readonly file: string;
  /** The line of the opening fence, from 1. */
  readonly line: number;
  /** What the fence says: `ts`, `sh`, … */
  readonly language: string;
  readonly code: string;
}

/** What a reader of a page can do with it: install, compile, run. */
export interface Page {
  readonly file: string;
  /** The blocks of TypeScript and JavaScript. */
  readonly blocks: readonly Block[];
  /** The languages of the other blocks, which this test leaves to others. */
  readonly otherLanguages: readonly string[];
  /** What its install lines name, such as `pg` or `redlock@5.0.0-beta.2`. */
  readonly installs: readonly string[];
  /** Its command lines that begin with `npx sendonce`, for the reader to type. */
  readonly commands: readonly Command[];
  /** The lines of its transcripts, which show a command and its answer. */
  readonly transcripts: readonly number[];
}

export interface Command {
  readonly line: number;
  /** Without `npx`. */
  readonly text: string;
  /** What was exported before. */
  readonly env: Readonly<Record<string, string>>;
}

export function readPage(file: string): Page {
  return parsePage(file, readFileSync(root + file, 'utf8'));
}

export function parsePage(file: string, text: string): Page {
  const blocks = blocksOf(file, text);
  const isCode = (block: Block) => ['ts', 'tsx', 'js'].includes(block.language);
  return {
    file,
    blocks: blocks.filter(isCode),
    otherLanguages: [...new Set(blocks.filter((block) => !isCode(block)).map(languageOf))],
    installs: installsIn(text),
    commands: commandsIn(text),
    transcripts: transcriptsIn(text),
  };
}

export function blocksOf(file: string, text: string): Block[] {
  return [...text.matchAll(/^```([a-z]*)\n([^]*?)^```$/gm)].map((match) => ({
    file,
    line: text.slice(0, match.index).split('\n').length,
    language: match[1]!,
    code: match[2]!,
  }));
}

function languageOf({ language }: Block): string {
  return language || 'no language';
}

/** A line of a shell: at the start of a line of a block, or indented by four spaces. */
function installsIn(text: string): string[] {
  const lines = text.matchAll(/^(?: {4})?(?:npm (?:install|i)|pnpm add|yarn add) (.+)$/gm);
  return [...lines].flatMap(([, words = '']) =>
    words.split(/\s+/).filter((word) => word !== '' && !word.startsWith('-')),
  );
}

function commandsIn(text: string): Command[] {
  const env: Record<string, string> = {};
  const commands: Command[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const assignment = /^(?: {4})?export (\w+)=(\S+)$/.exec(line);
    if (assignment) env[assignment[1]!] = assignment[2]!;
    const command = /^(?: {4})?npx (sendonce .+?)(?:\s+#.*)?$/.exec(line);
    if (command) commands.push({ line: index + 1, text: command[1]!, env: { ...env } });
  }
  return commands;
}

function transcriptsIn(text: string): number[] {
  const lines = text.split('\n').map((line, index) => ({ line, number: index + 1 }));
  return lines
    .filter(({ line }) => /^(?: {4})?\$ (?:npx )?sendonce /.test(line))
    .map(({ number }) => number);
}

/** The name of an installed package: `redlock` of `redlock@5.0.0-beta.2`. */
export function nameOf(install: string): string {
  return install.replace(/(?<=.)@.*$/, '');
}

/** The packages that a block imports, without those of Node. */
export function importsOf({ code }: Block): string[] {
  const specifiers = code.matchAll(/(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*'([^']+)'/g);
  const names = [...specifiers].map(([, specifier = '']) => packageOf(specifier));
  return [...new Set(names)].filter((name) => !isBuiltin(name) && !name.startsWith('.'));
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
