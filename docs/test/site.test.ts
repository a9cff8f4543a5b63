import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  closeBrowser,
  findChromium,
  noChromium,
  openPage,
} from '../../packages/dashboard/test/chromium.ts';
import { entryPoints } from '../site/entry-points.ts';
import { committedPages, docs, sections } from '../site/pages.ts';
import { type DocumentedExport, exportsFile } from '../site/reference.ts';
import { root } from '../site/repository.ts';
import { type BuiltSite, buildSite } from './built-site.ts';
import { namesExportedBy } from './exported-names.ts';

let site: BuiltSite;
let documented: DocumentedExport[];

// It takes half a minute on an idle machine, most of it in the 300 pages of the reference.
beforeAll(async () => {
  site = await buildSite();
  documented = JSON.parse(readFileSync(exportsFile, 'utf8')) as DocumentedExport[];
}, 900_000);

afterAll(async () => {
  await closeBrowser();
  await site?.close();
});

test('every page of docs/ is on the site', () => {
  const built = (page: string) => join(site.folder, page.replace(/\.md$/, '.html'));
  const missing = committedPages()
    .map((page) => page.replace(/README\.md$/, 'index.md'))
    .filter((page) => !existsSync(built(page)));
  expect(missing).toEqual([]);
});

test('llms.txt lists every page, and each is there as Markdown', () => {
  const text = readFileSync(join(site.folder, 'llms.txt'), 'utf8');
  expect(text).toContain('> An email is never sent twice and never dropped silently.');
  const listed = [...text.matchAll(/^- \[[^\]]+\]\(\/([^)]+)\): .+$/gm)].map(([, path]) => path!);
  const pages = sections().flatMap((section) => section.pages.map(({ path }) => path));
  expect(listed).toEqual(pages);
  expect(listed.filter((path) => !existsSync(join(site.folder, path)))).toEqual([]);
  expect(readFileSync(join(site.folder, 'llms-full.txt'), 'utf8')).toContain('# Guide');
});

describe('the API reference', () => {
  test('has a page or a section for every public export', () => {
    const missing = entryPoints().flatMap(({ specifier, source }) => {
      const index = `api/${specifier}/index.md`;
      const links = new Map(
        [
          ...readFileSync(join(docs, index), 'utf8')
            .replaceAll('\\_', '_')
            .matchAll(/\[(\w+)(?:\(\))?\]\(([^)]+)\)/g),
        ].map(([, name, href]) => [name!, join(dirname(index), href!.replace(/#.*/, ''))]),
      );
      const names = namesExportedBy(join(root, source));
      expect(names.length).toBeGreaterThan(0);
      return names
        .filter((name) => {
          const page = links.get(name)?.replace(/\.md$/, '.html');
          return page === undefined || !existsSync(join(site.folder, page));
        })
        .map((name) => `${specifier}: ${name}`);
    });
    expect(missing).toEqual([]);
  });

  test('counts what the packages export', () => {
    const names = entryPoints().map(({ source }) => namesExportedBy(join(root, source)).length);
    const sum = names.reduce((total, count) => total + count, 0);
    expect(documented).toHaveLength(sum);
    expect(sum).toBeGreaterThan(200);
  });

  test('has a doc comment for every public export and every member of one', () => {
    const bare = documented.filter(({ described }) => !described);
    expect(placesOf(bare)).toEqual([]);
    const own = documented.filter(({ name }) => !shapes.includes(name));
    expect([...new Set(own.flatMap(({ bareMembers }) => bareMembers))]).toEqual([]);
  });

  test('has an example or a link for every public export', () => {
    const alone = documented.filter(({ leadsOn }) => !leadsOn);
    expect(placesOf(alone)).toEqual([]);
  });
});

/** Parts of objects of other libraries, which describe the members: BullMQ, nodemailer. */
const shapes = [
  'BullMQJob',
  'FlowEmail',
  'JobLike',
  'LoopsParts',
  'ObservedOptions',
  'PluggableTransporter',
  'QueueLike',
  'StoredJob',
  'StreamPluginMail',
  'StreamPluginMessage',
];

/** Each once: what core exports is re-exported by others. */
function placesOf(exports: readonly DocumentedExport[]): string[] {
  return [...new Set(exports.map(({ source, name }) => `${source} ${name}`))];
}

/** Names of variables of the environment, which look like codes. */
const variables = ['PATH', 'QUEUE_PREFIX', 'REDIS', 'RUNS', 'SEED'].map(
  (name) => `SENDONCE_${name}`,
);

test('every error code and warning code has its page in docs/errors/', () => {
  const sources = entryPoints().map(({ folder }) => join(root, 'packages', folder, 'src'));
  const codes = new Set(
    [...new Set(sources)]
      .flatMap((folder) =>
        readdirSync(folder, { recursive: true, encoding: 'utf8' })
          .filter((name) => name.endsWith('.ts'))
          .map((name) => readFileSync(join(folder, name), 'utf8')),
      )
      .flatMap((text) => text.match(/\bSENDONCE_[A-Z]+(?:_[A-Z]+)*\b/g) ?? [])
      .filter((code) => !variables.includes(code)),
  );
  expect(codes.size).toBeGreaterThan(25);
  const pageOf = (code: string) =>
    `${code.replace('SENDONCE_', '').toLowerCase().replaceAll('_', '-')}.md`;
  const pages = readdirSync(join(docs, 'errors')).filter((name) => name !== 'index.md');
  // Both ways: a code without a page, and a page without a code.
  expect(pages.toSorted()).toEqual([...codes].map(pageOf).toSorted());
});

describe('in a browser', () => {
  test('there is a Chromium', () => {
    expect(findChromium(), noChromium).toBeDefined();
  });

  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  const pages = [
    '/',
    '/concepts.html',
    '/providers.html',
    '/errors/in-doubt.html',
    '/api/@sendonce/core/functions/perform.html',
  ];
  const screens = [
    { name: 'light', colorScheme: 'light', viewport: { width: 1280, height: 900 } },
    { name: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
    { name: 'a telephone', colorScheme: 'light', viewport: { width: 375, height: 667 } },
  ] as const;

  test.skipIf(findChromium() === undefined).each(screens)(
    'axe finds nothing, and nothing is wider than the screen: $name',
    { timeout: 300_000 },
    async ({ colorScheme, viewport }) => {
      const page = await openPage(site.origin, { colorScheme, viewport });
      const found: string[] = [];
      for (const path of pages) {
        await page.goto(site.origin + path, { waitUntil: 'load' });
        await page.addScriptTag({ path: axe });
        const { violations } = await page.evaluate<{
          violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[];
        }>("axe.run({ resultTypes: ['violations'] })");
        found.push(
          ...violations.flatMap(({ id, nodes }) =>
            nodes.map(({ target }) => `${path} ${id}: ${target.join(' ')}`),
          ),
        );
        const overflow = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        if (overflow !== 0) found.push(`${path} is ${String(overflow)} pixels too wide`);
      }
      expect(found).toEqual([]);
    },
  );

  test.skipIf(findChromium() === undefined)(
    'the search finds guide and reference, without another server',
    { timeout: 120_000 },
    async () => {
      const page = await openPage(site.origin);
      await page.goto(site.origin, { waitUntil: 'networkidle' });
      await page.keyboard.press('Control+k');
      const field = page.locator('input.search-input');
      await field.fill('InDoubtError');
      await page.locator('.VPLocalSearchBox .result[href*="InDoubtError"]').first().waitFor();
      await field.fill('retention');
      await page.locator('.VPLocalSearchBox .result:not([href*="/api/"])').first().waitFor();
    },
  );
});
