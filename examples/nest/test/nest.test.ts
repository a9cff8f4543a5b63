import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { redisUrl } from '@sendonce/testkit/vitest';
import { expect, test } from 'vitest';
import {
  blockOf,
  commandIn,
  complaintsIn,
  keysOf,
  readReadme,
  startCommand,
} from '@sendonce/testkit/readme';

const readme = readReadme('nest');

test('the command of the README: its table', { timeout: 60_000 }, async () => {
  const env = { REDIS_URL: redisUrl(), NO_COLOR: '1' };
  const { code, stdout, stderr } = await startCommand(commandIn('nest'), env).ended;
  const table = stdout.slice(stdout.indexOf(' '.repeat(24)));
  expect(table.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['jobs completed', 'emails'],
    ['neither', '8', '8'],
    ['@Once() on process()', '8', '1'],
    ['BullModule.workerClass', '8', '1'],
    [''],
  ]);
  expect(table).toBe(blockOf(readme, 'text'));
  for (const unwanted of ['ada@example.com', '\u001B']) {
    expect(stdout + stderr).not.toContain(unwanted);
  }
  expect(complaintsIn(stderr)).toEqual([]);
  expect(code).toBe(0);
  expect(await keysOf('nest', redisUrl()), 'keys left behind').toEqual([]);
});

test('the code in the README is the code of the files', () => {
  const blocks = [...readme.matchAll(/^```typescript\n([^]*?)^```$/gm)].map(
    ([, code = '']) => code,
  );
  const files = ['once-notices.processor.ts', 'guarded-worker.ts'];
  expect(blocks).toHaveLength(files.length);
  for (const [index, file] of files.entries()) {
    const source = readFileSync(new URL(`../app/${file}`, import.meta.url), 'utf8');
    expect(source).toContain(blocks[index]);
  }
});

// The tsconfig.json of the repository does not cover them: Nest needs legacy decorators.
test('the files compile, with legacy decorators', { timeout: 60_000 }, async () => {
  const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const tsc = path('../../../node_modules/typescript/bin/tsc');
  const run = promisify(execFile)(process.execPath, [tsc, '-p', path('..')]);
  const output = await run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  );
  expect(output).toBe('');
});
