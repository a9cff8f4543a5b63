import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { anchorsIn, linksIn, problemOf, siteHref, siteHtml, slugify } from '../site/links.ts';
import { committedPages, headingOf, markdownFiles, sections } from '../site/pages.ts';
import { repository, root } from '../site/repository.ts';

const files = markdownFiles(root)
  .map((file) => relative(root, file))
  .filter((file) => !file.startsWith('docs/api/'));

test('every link of every Markdown file to this repository leads to a file and a heading', () => {
  const links = files.flatMap((file) => linksIn(file, readFileSync(join(root, file), 'utf8')));
  expect(links.length).toBeGreaterThan(100);
  expect(links.flatMap((link) => problemOf(link) ?? [])).toEqual([]);
});

test('every page of docs/ is in the sidebar, once', () => {
  const paths = sections().flatMap(({ pages }) => pages.map(({ path }) => path));
  expect(paths.toSorted()).toEqual(committedPages().toSorted());
});

test('every page of docs/ has a heading', () => {
  for (const path of committedPages()) expect(headingOf(path)).not.toBe('');
});

describe('problemOf', () => {
  const problem = (href: string, file = 'docs/guide.md') => problemOf({ file, line: 3, href });

  test.each([
    ['no-such-page.md', 'does not exist'],
    ['guarantees.md#no-such-heading', 'has no such heading'],
    ['#no-such-heading', 'has no such heading'],
    ['../packages/redis/NOTHING.md', 'does not exist'],
    ['../../elsewhere.md', 'leads out of the repository'],
    ['/guide.md', 'begins with a slash, which GitHub does not know'],
    ['api/index.md', 'leads to the generated reference, which is not on GitHub'],
    [`${repository}/blob/main/docs/no-such-page.md`, 'does not exist'],
  ])('finds that %s %s', (href, expected) => {
    expect(problem(href)).toBe(`docs/guide.md:3: ${href} ${expected}`);
  });

  test.each([
    'guarantees.md',
    'guarantees.md#the-window',
    '../packages/redis/README.md',
    '../packages/core/src',
    `${repository}/blob/main/docs/guarantees.md#the-window`,
    'https://example.org/no-such-page',
    'mailto:nobody@example.org',
  ])('finds nothing against %s', (href) => {
    expect(problem(href)).toBeUndefined();
  });
});

test('links and images are found in Markdown, in tables and in HTML, with their lines', () => {
  const text = `---
title: x
---
# One

[a](a.md) and ![b](b.svg)

| c           |
| ----------- |
| [d](d.md#d) |

<picture>
  <source media="(prefers-color-scheme: dark)" srcset="e.svg">
  <img src="f.svg">
</picture>

\`[not](a-link.md)\`
`;
  expect(linksIn('x.md', text).map(({ line, href }) => `${line} ${href}`)).toEqual([
    '6 a.md',
    '6 b.svg',
    '10 d.md#d',
    '12 e.svg',
    '12 f.svg',
  ]);
});

test('anchors are those of GitHub', () => {
  expect(slugify('`once()`: what it does & why')).toBe('once-what-it-does--why');
  expect([...anchorsIn('# A b\n\n## A b\n\n<a id="own"></a>\n')]).toEqual(['a-b', 'a-b-1', 'own']);
});

describe('on the site', () => {
  test.each([
    ['guide.md', 'guarantees.md#the-window', './guarantees.md#the-window'],
    ['decisions/0001-open-records-never-expire.md', '../guide.md', '../guide.md'],
    ['guide.md', '../spec/key.md', `${repository}/blob/main/spec/key.md`],
    ['guide.md', '../packages/core/src', `${repository}/tree/main/packages/core/src`],
    ['guide.md', 'observability', `${repository}/tree/main/docs/observability`],
    ['guide.md', `${repository}/blob/main/docs/security.md`, './security.md'],
    ['guide.md', 'https://example.org/x', 'https://example.org/x'],
    ['guide.md', '#2-choose', '#2-choose'],
  ])('a link of %s to %s is %s', (page, href, expected) => {
    expect(siteHref(page, href)).toBe(expected);
  });

  test('a picture for two colour schemes follows the switch of the site', () => {
    const html = `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="dark.svg">
  <img alt="States" src="light.svg">
</picture>`;
    expect(siteHtml('guide.md', html)).toBe(
      '<img class="only-light" alt="States" src="./light.svg"><img class="only-dark" alt="States" src="./dark.svg">',
    );
  });
});
