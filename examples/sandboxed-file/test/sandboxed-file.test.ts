import { memoryLedger, OnceWorker } from '@sendonce/bullmq';
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

const readme = readReadme('sandboxed-file');

test('the command of the README: its table', { timeout: 60_000 }, async () => {
  const env = { REDIS_URL: redisUrl(), NO_COLOR: '1' };
  const { code, stdout, stderr } = await startCommand(commandIn('sandboxed-file'), env).ended;
  const table = stdout.slice(stdout.indexOf(' '.repeat(30)));
  expect(table.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['completed', 'emails', 'in doubt'],
    ['8 copies, child processes', '8', '1', '0'],
    ['8 copies, worker threads', '8', '1', '0'],
    ['any error before the email', '0', '0', '1'],
    ['NotSentError before the email', '1', '1', '0'],
    [''],
  ]);
  expect(table).toBe(blockOf(readme, 'text'));
  for (const unwanted of ['@example.com', '\u001B']) {
    expect(stdout + stderr).not.toContain(unwanted);
  }
  expect(complaintsIn(stderr)).toEqual([]);
  expect(code).toBe(0);
  expect(await keysOf('sandbox', redisUrl()), 'keys left behind').toEqual([]);
});

test('at-send is refused for the file', () => {
  const file = new URL('../src/processor.ts', import.meta.url);
  const once = { ledger: memoryLedger(), key: () => 'notice', dispatch: 'at-send' } as const;
  const connection = { url: redisUrl() };
  expect(() => new OnceWorker('notices', file, { connection, once })).toThrow(
    expect.objectContaining({ code: 'SENDONCE_OPTION', option: 'dispatch' }),
  );
});
