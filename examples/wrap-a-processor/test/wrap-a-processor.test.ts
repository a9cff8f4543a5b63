import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually } from '@sendonce/testkit';
import { redisUrl } from '@sendonce/testkit/vitest';
import { afterEach, expect, test } from 'vitest';
import {
  blockOf,
  commandIn,
  complaintsIn,
  keysOf,
  readReadme,
  startCommand,
} from '@sendonce/testkit/readme';

const example = 'wrap-a-processor';
const env = () => ({ REDIS_URL: redisUrl(), NO_COLOR: '1' });

afterEach(async () => {
  expect(await keysOf('wrap', redisUrl()), 'keys left behind').toEqual([]);
});

test('the command of the README: 32 emails before, 1 after', { timeout: 60_000 }, async () => {
  const { code, stdout, stderr } = await startCommand(commandIn(example), env()).ended;
  const table = stdout.split('\n').filter((line) => /^(before|after|  +jobs)/.test(line));
  expect(table).toEqual([
    '          jobs completed          emails',
    'before                32              32',
    'after                 32               1',
  ]);
  expect(readReadme(example)).toContain(table.join('\n'));
  for (const unwanted of ['@example.com', '\u001B'])
    expect(stdout + stderr).not.toContain(unwanted);
  expect(complaintsIn(stderr)).toEqual([]);
  expect(code).toBe(0);
});

test('the diff of the README is the diff of the two files', () => {
  expect(blockOf(readReadme(example), 'diff')).toBe(diff());
});

test('the diff is three lines, imports aside', () => {
  const changed = diff().split('\n').slice(2);
  const added = changed.filter((line) => line.startsWith('+'));
  expect(added.filter((line) => !line.startsWith('+import '))).toHaveLength(3);
  expect(changed.filter((line) => line.startsWith('-'))).toEqual(['-  sendNotice,']);
});

test('Ctrl-C leaves no keys', { timeout: 60_000 }, async () => {
  const { signal, ended } = startCommand(commandIn(example), env());
  const keys = () => keysOf('wrap', redisUrl());
  await eventually(async () => expect(await keys()).not.toEqual([]), { timeoutMs: 20_000 });
  signal('SIGINT');
  const { code, stdout } = await ended;
  expect(stdout).not.toContain('after');
  expect(code).not.toBe(0);
});

function diff(): string {
  const cwd = fileURLToPath(new URL('../src', import.meta.url));
  const labels = ['before.ts', 'after.ts'].flatMap((name) => ['--label', name]);
  const { stdout } = spawnSync('diff', ['-u', ...labels, 'before.ts', 'after.ts'], { cwd });
  // The formatter of the README leaves no space in an empty line.
  return stdout.toString().replace(/^ $/gm, '');
}
