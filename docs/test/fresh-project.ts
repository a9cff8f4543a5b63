import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PackedPackages } from '../../scripts/packed-packages.ts';
import { testedVersions } from '../../scripts/published.ts';
import { type Block, nameOf, type Page, root } from './page.ts';

const run = promisify(execFile);

/** A project outside of the workspace, with what the install lines of one page name. */
export interface FreshProject {
  readonly folder: string;
  readonly page: Page;
  /** Compiles all blocks of the page; resolves with the errors, at the lines of the page. */
  compile(): Promise<string[]>;
  /** The file of a block as it is on the page. */
  sourceFile(block: Block): string;
  /** The file that came out of a block. */
  compiledFile(block: Block): string;
  remove(): Promise<void>;
}

/** What `tsc --init` of TypeScript 7 writes, for Node, and the folder for the output. */
const compilerOptions = {
  module: 'nodenext',
  target: 'es2023',
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  noUncheckedSideEffectImports: true,
  moduleDetection: 'force',
  skipLibCheck: true,
  allowJs: true,
  checkJs: true,
  jsx: 'react-jsx',
  outDir: 'out',
  rootDir: 'src',
};

/**
 * Installs as pnpm does it without hoisting: an import of a package that no install line names is
 * not found. Every project of TypeScript has `typescript` and `@types/node`; all else is the
 * page's.
 */
export async function makeFreshProject(
  page: Page,
  { pnpm, tarballs }: PackedPackages,
): Promise<FreshProject> {
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-page-'));
  const json = async (name: string, content: unknown) =>
    writeFile(join(folder, name), JSON.stringify(content, null, 2));
  const files = Object.entries(tarballs).map(([name, file]) => [name, `file:${file}`]);
  await json('package.json', {
    private: true,
    type: 'module',
    dependencies: Object.fromEntries(
      page.installs.map((install) => [nameOf(install), versionOf(install, tarballs)]),
    ),
    devDependencies: { '@types/node': versionOf('@types/node', tarballs) },
  });
  // JSON is YAML, too.
  await json('pnpm-workspace.yaml', {
    hoist: false,
    strictDepBuilds: false,
    // None of ours is in the registry, and one version of the types of Node is enough.
    overrides: { ...Object.fromEntries(files), '@types/node': versionOf('@types/node', tarballs) },
  });
  await json('tsconfig.json', { compilerOptions, include: ['src'] });
  await mkdir(join(folder, 'src'));
  for (const block of page.blocks) {
    await writeFile(join(folder, 'src', fileOf(block)), block.code);
  }
  await run(pnpm, ['install', '--prefer-offline', '--reporter=append-only'], {
    cwd: folder,
  }).catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`pnpm install for ${page.file}: ${error.stdout}${error.stderr}`);
  });
  await cp(join(root, 'fixtures/pages'), join(folder, 'out'), { recursive: true });
  return {
    folder,
    page,
    // Without input files tsc fails.
    compile: async () => (page.blocks.length === 0 ? [] : compile(folder, page)),
    sourceFile: (block) => join(folder, 'src', fileOf(block)),
    compiledFile: (block) => join(folder, 'out', fileOf(block).replace(/tsx?$/, 'js')),
    remove: async () => rm(folder, { recursive: true, force: true }),
  };
}

function fileOf({ line, language }: Block): string {
  return `block-${line}.${language}`;
}

async function compile(folder: string, page: Page): Promise<string[]> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const output = await run(process.execPath, [tsc, '-p', folder], { cwd: folder }).then(
    () => '',
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  );
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((text) =>
      text.replace(/^src\/block-(\d+)\.[tj]sx?\((\d+),\d+\)/, (_, fence: string, line: string) => {
        return `${page.file}:${Number(fence) + Number(line)}`;
      }),
    );
}

/** The version that an install line names, else that of our own development dependencies. */
function versionOf(install: string, tarballs: Readonly<Record<string, string>>): string {
  const name = nameOf(install);
  if (tarballs[name] !== undefined) return `file:${tarballs[name]}`;
  const version = name === install ? testedVersions().get(name) : install.slice(name.length + 1);
  if (version === undefined) {
    throw new Error(`${install}: no package.json of this repository names a version of it.`);
  }
  return version;
}
