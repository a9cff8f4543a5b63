import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PackedPackages } from '../../scripts/packed-packages.ts';
import { testedVersions } from '../../scripts/published.ts';
import { type Block, nameOf, type Page, root } from './page.ts';

const run = promisify(execFile);

/** A project outside of this repository, with what the install lines of one page name. */
export interface FreshProject {
  readonly folder: string;
  readonly page: Page;
  /** What the compiler says about the blocks of the page, at the lines of the page. */
  readonly errors: readonly string[];
  /** The file of a block as it is on the page. */
  sourceFile(block: Block): string;
  /** The file that came out of a block. */
  compiledFile(block: Block): string;
}

export interface FreshProjects {
  of(page: Page): FreshProject;
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
 * Makes a project for each page, all in one workspace: one installation and one run of the compiler
 * take 7 s of CPU time, and one each took 70. A project has what its page names and nothing else:
 * pnpm hoists nothing, and packages that meet the same peers are not made one. Every project of
 * TypeScript has `typescript` and `@types/node`; all else is the page's.
 */
export async function makeFreshProjects(
  pages: readonly Page[],
  { pnpm, tarballs }: PackedPackages,
): Promise<FreshProjects> {
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-pages-'));
  const json = async (name: string, content: unknown) =>
    writeFile(join(folder, name), JSON.stringify(content, null, 2));
  const files = Object.entries(tarballs).map(([name, file]) => [name, `file:${file}`]);
  const nodeTypes = { '@types/node': versionOf('@types/node', tarballs) };
  await json('package.json', { private: true });
  // JSON is YAML, too.
  await json('pnpm-workspace.yaml', {
    packages: ['*'],
    hoist: false,
    dedupePeerDependents: false,
    strictDepBuilds: false,
    // None of ours is in the registry, and one version of the types of Node is enough.
    overrides: { ...Object.fromEntries(files), ...nodeTypes },
  });
  for (const page of pages) {
    const project = nameOfProject(page);
    await mkdir(join(folder, project, 'src'), { recursive: true });
    await json(`${project}/package.json`, {
      name: project,
      private: true,
      type: 'module',
      dependencies: Object.fromEntries(
        page.installs.map((install) => [nameOf(install), versionOf(install, tarballs)]),
      ),
      devDependencies: nodeTypes,
    });
    await json(`${project}/tsconfig.json`, { compilerOptions, include: ['src'] });
    for (const block of page.blocks) {
      await writeFile(join(folder, project, 'src', fileOf(block)), block.code);
    }
  }
  // Without input files tsc fails.
  const compiled = pages.filter(({ blocks }) => blocks.length > 0);
  const references = compiled.map((page) => ({ path: nameOfProject(page) }));
  await json('tsconfig.json', { files: [], references });

  await run(pnpm, ['install', '--prefer-offline', '--reporter=append-only'], {
    cwd: folder,
  }).catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`pnpm install for the pages: ${error.stdout}${error.stderr}`);
  });
  const errors = await compile(folder);
  for (const page of pages) {
    const out = join(folder, nameOfProject(page), 'out');
    await cp(join(root, 'fixtures/pages'), out, { recursive: true });
  }
  return {
    of(page) {
      const own = join(folder, nameOfProject(page));
      return {
        folder: own,
        page,
        errors: errorsOf(page, errors),
        sourceFile: (block) => join(own, 'src', fileOf(block)),
        compiledFile: (block) => join(own, 'out', fileOf(block).replace(/tsx?$/, 'js')),
      };
    },
    remove: async () => rm(folder, { recursive: true, force: true }),
  };
}

/** `packages-bullmq-readme` of `packages/bullmq/README.md`. */
function nameOfProject({ file }: Page): string {
  return file.replace(/\.md$/, '').replaceAll('/', '-').toLowerCase();
}

function fileOf({ line, language }: Block): string {
  return `block-${line}.${language}`;
}

/** What the compiler says, a line each: it compiles every project, also if others have errors. */
async function compile(folder: string): Promise<string[]> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const output = await run(process.execPath, [tsc, '-b', '--pretty', 'false'], {
    cwd: folder,
    maxBuffer: 2 ** 26,
  }).then(
    () => '',
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  );
  return output.split('\n').filter((line) => line !== '');
}

/** Those of a page, and those that name none. */
function errorsOf(page: Page, errors: readonly string[]): string[] {
  const ofBlock = /^([^/(]+)\/src\/block-(\d+)\.[tj]sx?\((\d+),\d+\)/;
  return errors.flatMap((error) => {
    const [place, project, fence, line] = ofBlock.exec(error) ?? [];
    if (place === undefined) return [error];
    if (project !== nameOfProject(page)) return [];
    return [`${page.file}:${Number(fence) + Number(line)}${error.slice(place.length)}`];
  });
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
