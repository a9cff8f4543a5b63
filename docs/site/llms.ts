import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { docs, type Page, sections } from './pages.ts';

/**
 * Writes what language models read, as https://llmstxt.org describes it: `llms.txt` lists the
 * pages, `llms-full.txt` is all of them but the decisions, and each page is there as Markdown too.
 */
export function writeLlmsTexts(outDir: string, base: string, promise: string): void {
  const lists = sections().map(({ title, pages }) => {
    const items = pages.map((page) => `- [${page.title}](${base}${page.path}): ${summaryOf(page)}`);
    return `## ${title}\n\n${items.join('\n')}\n`;
  });
  writeFileSync(join(outDir, 'llms.txt'), `# sendonce\n\n> ${promise}\n\n${lists.join('\n')}`);
  for (const page of sections().flatMap(({ pages }) => pages)) {
    const file = join(outDir, page.path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, textOf(page));
  }
  const full = sections()
    .filter(({ title }) => title !== 'Decisions')
    .flatMap(({ pages }) => pages.map(textOf));
  writeFileSync(join(outDir, 'llms-full.txt'), full.join('\n\n'));
}

function textOf({ path }: Page): string {
  return readFileSync(join(docs, path), 'utf8');
}

/** The first line of prose: Markdown has one sentence to a line. */
function summaryOf(page: Page): string {
  const lines = textOf(page).split('\n');
  const line = lines.find((text) => /^[A-Z*_`[]/.test(text));
  return (line ?? page.title).replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/\*\*?/g, '');
}
