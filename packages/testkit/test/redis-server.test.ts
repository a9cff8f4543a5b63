import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { deleteNamespace, eventually, findRedis, namespace, startRedis } from '../src/index.ts';
import { redisUrl } from '../src/vitest.ts';

const run = promisify(execFile);
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function redis(url: string) {
  const client = new Redis(url, { retryStrategy: () => 20 });
  client.on('error', () => {});
  cleanups.push(() => client.disconnect());
  return client;
}

/** Runs TypeScript that may import the testkit, in a new process. */
function script(code: string, env: Record<string, string | undefined> = {}) {
  const index = fileURLToPath(new URL('../src/index.ts', import.meta.url));
  const source = `import * as kit from ${JSON.stringify(index)}; void (async () => { ${code} })()`;
  const tsx = import.meta.resolve('tsx');
  const args = ['--import', tsx, '--input-type=module', '-e', source];
  return run(process.execPath, args, { env: { ...process.env, ...env } });
}

test('the Redis of the run answers and evicts nothing', async () => {
  const client = redis(redisUrl());
  await expect(client.ping()).resolves.toBe('PONG');
});

test('a namespace is deleted, its neighbours stay', async () => {
  const client = redis(redisUrl());
  const [mine, other] = [namespace('a*'), namespace('a*')];
  await client.mset(`${mine}:1`, 1, `{${mine}}:2`, 1, `${other}:1`, 1);
  await expect(deleteNamespace(redisUrl(), mine)).resolves.toBe(2);
  await expect(client.exists(`${other}:1`)).resolves.toBe(1);
  await deleteNamespace(redisUrl(), other);
  await expect(deleteNamespace(redisUrl(), '')).rejects.toThrow(RangeError);
});

test('a private Redis can be paused, killed and started again with its data', async () => {
  const server = await startRedis({ appendOnly: true, args: ['--maxclients', '50'] });
  cleanups.push(server.stop);
  const client = redis(server.url);
  await client.set('k', 'v');
  expect(JSON.stringify(await client.config('GET', 'maxmemory-policy'))).toContain('noeviction');

  server.pause();
  let answered = false;
  const ping = client.ping().then(() => void (answered = true));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(answered).toBe(false);
  server.resume();
  await ping;

  const { pid } = server;
  await server.kill();
  await server.restart();
  expect(server.pid).not.toBe(pid);
  await expect(client.get('k')).resolves.toBe('v');
});

test('an ended private Redis leaves neither process nor folder', async () => {
  const server = await startRedis();
  const reply = await redis(server.url).config('GET', 'dir');
  // RESP3 answers with a map, RESP2 with a list.
  const folder = (JSON.stringify(reply).match(/\/[^"]*sendonce-redis-[^"]*/) ?? [''])[0];
  expect(existsSync(folder)).toBe(true);
  await server.stop();
  await server.stop();
  expect(existsSync(folder)).toBe(false);
  expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
});

test('stop can be awaited when nothing else keeps the process alive', async () => {
  const code = `const server = await kit.startRedis(); await server.stop(); console.log('ended')`;
  await expect(script(code)).resolves.toMatchObject({ stdout: 'ended\n' });
});

test.each([
  'process.exit(0)',
  'process.kill(process.pid, "SIGTERM")',
  'process.kill(process.pid, "SIGKILL")',
])('a private Redis dies with its parent: %s', async (end) => {
  const code = `const server = await kit.startRedis(); process.stdout.write(server.url, () => ${end})`;
  // After SIGKILL the folder of Redis is left, so it is put where this test can remove it.
  const folder = mkdtempSync(join(tmpdir(), 'parent-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const { stdout } = await script(code, { TMPDIR: folder }).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toMatch(/^redis:/);
  const port = Number(new URL(stdout).port);
  await eventually(() =>
    expect(run('bash', ['-c', `echo > /dev/tcp/127.0.0.1/${port}`])).rejects.toThrow(),
  );
});

test('REDIS_URL is used and nothing else', async () => {
  process.env['REDIS_URL'] = redisUrl();
  cleanups.push(() => delete process.env['REDIS_URL']);
  const found = await findRedis();
  expect(found).toMatchObject({ url: redisUrl(), how: expect.stringContaining('REDIS_URL at ') });
  await found.stop();
  await redis(redisUrl()).ping();

  process.env['REDIS_URL'] = 'redis://127.0.0.1:1';
  await expect(findRedis()).rejects.toThrow('REDIS_URL is set, but 127.0.0.1:1 cannot be used');
});

test('when nothing works, the error lists each way and what to do', async () => {
  const code = `await kit.findRedis().catch((error) => console.log(error.message))`;
  const empty = mkdtempSync(join(tmpdir(), 'empty-'));
  cleanups.push(() => rm(empty, { recursive: true }));
  const env = { PATH: empty, XDG_CACHE_HOME: empty, REDIS_URL: '', DOCKER_HOST: 'unix:///nowhere' };
  const { stdout } = await script(code, env);
  for (const way of ['PATH: ', 'Docker: ', 'package, unpacked: ', 'redis-memory-server ']) {
    expect(stdout).toContain(way);
  }
  expect(stdout).toContain('Set REDIS_URL');
});

// Downloads from the distribution's server, so only on request: TESTKIT_DOWNLOAD=1
test.runIf(process.env['TESTKIT_DOWNLOAD'])(
  'two processes unpack the package at once',
  { timeout: 200_000 },
  async () => {
    const cache = mkdtempSync(join(tmpdir(), 'cache-'));
    cleanups.push(() => rm(cache, { recursive: true }));
    const code = `const found = await kit.findRedis(); console.log(found.how); process.exit(0)`;
    const env = {
      XDG_CACHE_HOME: cache,
      REDIS_URL: '',
      PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    };
    const [one, two] = await Promise.all([script(code, env), script(code, env)]);
    expect(one.stdout).toContain('package unpacked into');
    expect(two.stdout).toBe(one.stdout);
    expect(readdirSync(join(cache, 'sendonce'))).toHaveLength(1);
  },
);
