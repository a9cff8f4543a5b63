import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type Block, blocksOf, root } from './page.ts';

const docs = join(root, 'docs');

test('every ts block of every README and document compiles', { timeout: 60_000 }, async () => {
  const blocks = markdownFiles(root).flatMap(tsBlocks);
  expect(blocks.length).toBeGreaterThan(3);
  expect(await compile(blocks)).toBe('');
});

test('a block that does not compile is found, with its file and line', async () => {
  const code = 'const wrong: number = "text";\nexport {};';
  const block = { file: 'README.md', line: 7, language: 'ts', code };
  expect(await compile([block])).toMatch(/README\.md:8.*not assignable to type 'number'/);
});

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    // Generated, and not there in a fresh clone.
    if (path === join(docs, 'api')) return [];
    if (entry.isDirectory()) return markdownFiles(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

function tsBlocks(file: string): Block[] {
  const blocks = blocksOf(relative(root, file), readFileSync(file, 'utf8'));
  return blocks.filter(({ language }) => language === 'ts' || language === 'tsx');
}

/** The errors of tsc in the blocks, at the lines of the documents; empty if there are none. */
async function compile(blocks: readonly Block[]): Promise<string> {
  // Inside docs/, whose node_modules has everything that a block may import.
  mkdirSync(join(docs, '.blocks'), { recursive: true });
  const folder = mkdtempSync(join(docs, '.blocks', 'run-'));
  try {
    for (const [index, block] of blocks.entries()) {
      writeFileSync(
        join(folder, `block-${index}.${block.language}`),
        `${block.code}\nexport {};\n`,
      );
    }
    const config = {
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: { noEmit: true, types: ['node'], jsx: 'react-jsx' },
      include: ['*.ts', '*.tsx'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const run = promisify(execFile)(process.execPath, [tsc, '-p', folder], { cwd: folder });
    const output = await run.then(
      ({ stdout }) => stdout,
      (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
    );
    return output.replace(
      /^\S*block-(\d+)\.tsx?\((\d+),\d+\)/gm,
      (_, index: string, line: string) => {
        const block = blocks[Number(index)]!;
        return `${block.file}:${block.line + Number(line)}`;
      },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
