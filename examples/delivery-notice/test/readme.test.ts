import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually, freePort } from '@sendonce/testkit';
import { afterAll, expect, test } from 'vitest';
import { killRunning, startCommand } from './app.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

afterAll(killRunning);

async function shellBlocks(): Promise<string[]> {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  return [...readme.matchAll(/```sh\n([^]*?)```/g)].map(([, block = '']) => block);
}

/** Dates differ from run to run. */
const dateless = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<date>');

test('the one command of the README starts it, and its curl lines answer as it says', async () => {
  const [start = '', , curls = ''] = await shellBlocks();
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-readme-'));
  const app = startCommand(['bash', '-c', start], {
    cwd: root,
    env: {
      REDIS_URL: '',
      SMTP_URL: '',
      DATA_DIR: folder,
      EMBEDDED_REDIS_PORT: String(await freePort()),
      npm_config_yes: 'true',
      // Nothing is installed while tests run.
      pnpm_config_verify_deps_before_run: 'false',
    },
  });
  const url = await app.url();
  expect(app.output()).toContain(`Ready: ${url}`);

  // On a busy machine the notice is still being sent after the README's one second.
  const untilSent = 'until curl -s "$notice?occurrence=2" | grep -q \'"sent"\'; do sleep 0.1; done';
  expect(curls).toContain('sleep 1;');
  const { stdout } = await run('bash', [
    '-c',
    curls.replace('http://127.0.0.1:3000', url).replace('sleep 1;', `${untilSent};`),
  ]);
  const promised = curls.split('\n').filter((line) => line.startsWith('# {'));
  expect(dateless(stdout).trim().split('\n')).toEqual(
    promised.map((line) => dateless(line.slice(2))),
  );
  await eventually(() => expect(app.output()).toContain('An email arrived (1 so far).'));

  await app.end('SIGINT');
  await expect(fetch(url)).rejects.toThrow('fetch failed');
  expect(app.output()).not.toContain('(2 so far)');
  await rm(folder, { recursive: true });
}, 120_000);
