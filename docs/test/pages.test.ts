import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packedPackages, published } from '../../scripts/packed-packages.ts';
import { type FreshProject, type FreshProjects, makeFreshProjects } from './fresh-project.ts';
import { type PageServers, startPageServers } from './page-servers.ts';
import { type Block, importsOf, nameOf, type Page, parsePage, readPage, root } from './page.ts';
import {
  configName,
  isTestFile,
  type Ran,
  runBlock,
  runCommand,
  runConfig,
  runTests,
} from './run-page.ts';

const documents = ['docs', 'docs/observability', 'docs/recipes'].flatMap((folder) =>
  readdirSync(root + folder).map((name) => `${folder}/${name}`),
);
/** Quotes the code that people use instead of sendonce, in fragments of a few lines. */
const quotesOthers = 'docs/peers.md';

const pages = [
  'README.md',
  ...published.map((name) => `packages/${name}/README.md`),
  ...documents.filter((file) => file.endsWith('.md') && file !== quotesOthers),
]
  .map(readPage)
  .filter(({ blocks, commands }) => blocks.length + commands.length > 0);

const unnamedImport = parsePage(
  'unnamed-import.md',
  `npm install @sendonce/core\n${block("import 'canonicalize';")}`,
);
const failing = parsePage(
  'failing.md',
  `npm install @sendonce/core\n${block("throw new Error('no email was sent');")}`,
);

describe('a fresh project that installed only what a page says', () => {
  let projects: FreshProjects;
  let servers: PageServers;

  beforeAll(async () => {
    servers = await startPageServers();
    projects = await makeFreshProjects([...pages, unnamedImport, failing], await packedPackages());
  });

  afterAll(async () => {
    await projects?.remove();
    await servers?.stop();
  });

  test.each(pages)('compiles the code of $file', (page) => {
    expect([...notInstalled(page), ...projects.of(page).errors]).toEqual([]);
  });

  test.each(pages)('runs the code of $file', async (page) => {
    const { lines, errors } = await runPage(projects.of(page), servers);
    console.log(lines.join('\n'));
    expect(errors).toEqual([]);
  });

  test('finds no package that was installed only for another one', () => {
    expect(notInstalled(unnamedImport)).toEqual([
      'unnamed-import.md:2: a block needs canonicalize, which no install line of the page names.',
    ]);
    expect(projects.of(unnamedImport).errors).toEqual([
      expect.stringMatching(/^unnamed-import\.md:3: error TS2882/),
    ]);
  });

  test('reports a block that fails, with its line and its error', async () => {
    const project = projects.of(failing);
    expect(project.errors).toEqual([]);
    const { errors } = await runPage(project, servers);
    expect(errors).toEqual([expect.stringMatching(/^failing\.md:2: [^]*no email was sent/)]);
  });
});

test('a page with code and without an install line fails, and says so', () => {
  expect(
    notInstalled(parsePage('page.md', block("import { once } from '@sendonce/bullmq';"))),
  ).toEqual(['page.md:1: a block needs @sendonce/bullmq, and the page has no install line.']);
});

function block(code: string): string {
  return `\`\`\`ts\n${code}\n\`\`\`\n`;
}

/** What the code of a page needs, and no install line of the page names. */
function notInstalled(page: Page): string[] {
  const installed = new Set(page.installs.map(nameOf));
  const needed = [
    ...page.blocks.flatMap((block) =>
      importsOf(block).map((name) => ({ line: block.line, name, by: 'a block' })),
    ),
    ...[...page.commands.map(({ line }) => line), ...page.transcripts].map((line) => ({
      line,
      name: 'sendonce',
      by: 'a command',
    })),
  ];
  return needed
    .filter(({ name }) => !installed.has(name))
    .map(({ line, name, by }) =>
      page.installs.length === 0
        ? `${page.file}:${line}: ${by} needs ${name}, and the page has no install line.`
        : `${page.file}:${line}: ${by} needs ${name}, which no install line of the page names.`,
    );
}

function runnerOf(block: Block) {
  if (configName(block)) return runConfig;
  return isTestFile(block) ? runTests : runBlock;
}

async function runPage(project: FreshProject, servers: PageServers) {
  const { page } = project;
  const lines = [`${page.file}: installed ${page.installs.join(' ')}`];
  const errors: string[] = [];
  const note = (line: number, { did, error }: Ran) => {
    lines.push(`  line ${line}: ${did ?? 'FAILED'}`);
    if (error !== undefined) errors.push(`${page.file}:${line}: ${error}`);
  };
  for (const block of page.blocks) {
    note(block.line, await runnerOf(block)(project, block, servers));
  }
  await servers.forget();
  for (const command of page.commands) {
    note(command.line, await runCommand(project, command, servers));
  }
  const notRun = [
    ...page.otherLanguages.map((language) => `blocks of ${language}`),
    ...page.transcripts.map((line) => `the transcript at line ${line}`),
  ];
  if (notRun.length > 0) lines.push(`  not run: ${notRun.join(', ')}`);
  return { lines, errors };
}
