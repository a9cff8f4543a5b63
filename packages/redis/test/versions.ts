/**
 * Runs the tests of the ledgers on Redis with the servers of other Debian releases. Needs apt-get,
 * and no root: nothing is installed. Each server has fifteen minutes. `.ci/run` runs one file on
 * one Valkey.
 *
 *     tsx packages/redis/test/versions.ts                         every server, every test
 *     tsx packages/redis/test/versions.ts valkey-9 -- conformance one server, one test file
 */
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface Release {
  readonly suite: string;
  readonly program: 'redis-server' | 'valkey-server';
}

/** What Debian's archive has of them when this was written. */
const releases: Readonly<Record<string, Release>> = {
  'redis-7.0': { suite: 'bookworm', program: 'redis-server' },
  'redis-8.0': { suite: 'trixie', program: 'redis-server' },
  'valkey-8.1': { suite: 'trixie', program: 'valkey-server' },
  'valkey-9': { suite: 'sid', program: 'valkey-server' },
};
const LIMIT_MS = 15 * 60_000;
const root = fileURLToPath(new URL('../../../', import.meta.url));
const base = join(tmpdir(), 'sendonce-redis-versions');

await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<void> {
  const separator = words.includes('--') ? words.indexOf('--') : words.length;
  const names = separator > 0 ? words.slice(0, separator) : Object.keys(releases);
  const files = words.slice(separator + 1).map((name) => `packages/redis/test/${name}`);
  const failed: string[] = [];
  for (const name of names) {
    const release = releases[name];
    if (!release)
      throw new RangeError(`Expected ${Object.keys(releases).join(', ')}, got ${name}.`);
    const folder = await unpack(name, release);
    const isGreen = await runTests(folder, files.length > 0 ? files : everyTest);
    console.log(`${name}: ${isGreen ? 'passed' : 'FAILED'}`);
    if (!isGreen) failed.push(name);
  }
  if (failed.length === 0) return;
  console.log(`Failed on ${failed.join(', ')}.`);
  process.exitCode = 1;
}

const everyTest = ['packages/redis', 'packages/redlock'];

/**
 * A folder with a program `redis-server` that starts the release's own with its own libraries, libc
 * included: this machine may be older. It is kept for the next run.
 */
async function unpack(name: string, { suite, program }: Release): Promise<string> {
  const folder = join(base, name);
  const tree = join(folder, 'root');
  const debs = join(folder, 'debs');
  for (const part of ['root', 'debs', 'bin', 'lists/partial', 'cache/archives/partial']) {
    await mkdir(join(folder, part), { recursive: true });
  }
  const list = join(folder, 'sources.list');
  await writeFile(list, `deb [trusted=yes] http://deb.debian.org/debian ${suite} main\n`);
  const settings = {
    'Dir::Etc::sourcelist': list,
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::Cache': join(folder, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const apt = (command: string, ...args: string[]) =>
    run(command, [...options, ...args], { cwd: debs, env: { ...process.env, LC_ALL: 'C' } });

  await apt('apt-get', 'update', '-qq');
  const packages = await withLibraries(program, (names) => apt('apt-cache', 'depends', ...names));
  await apt('apt-get', 'download', '-qq', ...packages);
  for (const file of await readdir(debs)) await run('dpkg-deb', ['-x', join(debs, file), tree]);

  const libraries = join(tree, 'usr/lib/x86_64-linux-gnu');
  const older = join(tree, 'lib/x86_64-linux-gnu');
  const loader = `"$(ls "${libraries}"/ld-linux-*.so.* "${older}"/ld-linux-*.so.* 2>/dev/null | head -1)"`;
  const command = `exec ${loader} --library-path "${libraries}:${older}" "${tree}/usr/bin/${program}" "$@"`;
  const file = join(folder, 'bin', 'redis-server');
  await writeFile(file, `#!/bin/sh\n${command}\n`);
  await chmod(file, 0o755);
  const { stdout } = await run(file, ['--version']);
  console.log(`${name}: ${stdout.trim()}`);
  return join(folder, 'bin');
}

/** The packages of the server and the libraries that they need. */
async function withLibraries(
  program: string,
  depends: (names: readonly string[]) => Promise<{ stdout: string }>,
): Promise<string[]> {
  const wanted = new Set<string>();
  for (let level = [program]; level.length > 0;) {
    for (const name of level) wanted.add(name);
    const { stdout } = await depends(level);
    const names = [...stdout.matchAll(/^ +(?:Pre)?Depends: ([^<\s]+)/gm)].map(([, name]) => name!);
    level = [...new Set(names)].filter(
      (name) => /^lib|^(redis|valkey)-tools/.test(name) && !wanted.has(name),
    );
  }
  return [...wanted];
}

async function runTests(folder: string, files: readonly string[]): Promise<boolean> {
  const { REDIS_URL: _, ...env } = process.env;
  const child = spawn('npx', ['vitest', 'run', '--reporter=dot', ...files], {
    cwd: root,
    env: { ...env, PATH: folder + delimiter + process.env['PATH'] },
    stdio: 'inherit',
    timeout: LIMIT_MS,
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code === 0));
  });
}
