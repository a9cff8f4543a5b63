import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { blocksOf, root } from './page.ts';

/** What a page quotes, and its own short blocks, by their first line. */
const pages = [
  {
    page: 'docs/recipes/nest.md',
    quotes: 'examples/nest/app',
    own: ['BullModule.workerClass = guardedWorker({ ledger, key, dispatch', '@Injectable()'],
  },
];

test.each(pages)('$page quotes $quotes as it is', ({ page, quotes, own }) => {
  const files = readdirSync(root + quotes).map((name) =>
    withoutIndents(readFileSync(`${root}${quotes}/${name}`, 'utf8')),
  );
  const blocks = blocksOf(page, readFileSync(root + page, 'utf8'))
    .filter(({ language }) => language === 'typescript')
    .filter(({ code }) => !own.some((start) => code.startsWith(start)));
  expect(blocks.length).toBeGreaterThan(3);
  const wrong = blocks.filter(
    ({ code }) => !files.some((text) => text.includes(withoutIndents(code))),
  );
  expect(wrong.map(({ line, code }) => `${page}:${line}\n${code}`)).toEqual([]);
});

function withoutIndents(text: string): string {
  return text.replaceAll(/^ +/gm, '').trim();
}
