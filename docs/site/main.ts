/** `reference`, `build [folder]` or `dev`: what the scripts of package.json call. */
import { build, createServer } from 'vitepress';
import { docs } from './pages.ts';
import { writeReference } from './reference.ts';

const [command = 'build', outDir] = process.argv.slice(2);

await writeReference();
if (command === 'build') await build(docs, outDir === undefined ? {} : { outDir });
if (command === 'dev') {
  const server = await createServer(docs);
  await server.listen();
  server.printUrls();
}
