import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { blocksOf, root } from './page.ts';

/** The pages whose blocks are files that import each other: each begins with its path. */
const pages = ['docs/recipes/nextjs.md'];

test.each(pages)('the files of %s compile together', async (page) => {
  const files = filesOf(page);
  expect(Object.keys(files).length).toBeGreaterThan(2);
  expect(await compile(files)).toBe('');
});

test('a file that uses what another one does not have is found', async () => {
  const files = filesOf(pages[0]!);
  const [shared = ''] = Object.keys(files);
  const without = { ...files, [shared]: files[shared]!.replace('keyOf', 'otherKeyOf') };
  expect(await compile(without)).toMatch(/worker\.ts.*keyOf/);
});

function filesOf(page: string): Record<string, string> {
  const blocks = blocksOf(page, readFileSync(root + page, 'utf8'));
  const named = blocks
    .filter(({ language }) => language === 'typescript')
    .map(({ code }) => [/^\/\/ (\S+\.ts)$/m.exec(code)?.[1] ?? 'unnamed.ts', code] as const);
  return Object.fromEntries(named);
}

/** What tsc says about the files; empty if they compile. */
async function compile(files: Readonly<Record<string, string>>): Promise<string> {
  // Inside docs/, whose node_modules has everything that a page may import.
  mkdirSync(join(root, 'docs/.blocks'), { recursive: true });
  const folder = mkdtempSync(join(root, 'docs/.blocks/files-'));
  try {
    for (const [name, code] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), code);
    }
    const compilerOptions = {
      noEmit: true,
      declaration: false,
      declarationMap: false,
      types: ['node'],
      // As create-next-app sets them: a path without its extension is found.
      module: 'esnext',
      moduleResolution: 'bundler',
    };
    const extended = { extends: join(root, 'tsconfig.base.json'), compilerOptions };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...extended, include: ['.'] }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    return await promisify(execFile)(process.execPath, [tsc, '-p', folder], { cwd: folder }).then(
      ({ stdout }) => stdout,
      (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
