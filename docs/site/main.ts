/** `build [folder]` or `dev`: what the scripts of package.json call. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, createServer } from 'vitepress';
import { linksIn, problemOf } from './links.ts';
import { committedPages, docs } from './pages.ts';
import { writeReference } from './reference.ts';

const [command = 'build', outDir] = process.argv.slice(2);

const dead = committedPages().flatMap((page) => {
  const file = `docs/${page}`;
  const links = linksIn(file, readFileSync(join(docs, page), 'utf8'));
  return links.flatMap((link) => problemOf(link) ?? []);
});
for (const problem of dead) console.error(problem);
if (dead.length > 0 && command === 'build') process.exit(1);

await writeReference();
if (command === 'build') await build(docs, outDir === undefined ? {} : { outDir });
if (command === 'dev') {
  const server = await createServer(docs);
  await server.listen();
  server.printUrls();
}
