/**
 * Builds, packs and checks the published packages, and installs them into fresh projects.
 * `--dry-run` ends there. Without it, the very files that passed are published.
 *
 *     pnpm release --dry-run          everything
 *     pnpm release --dry-run yarn     only the projects whose name has this word
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../published.ts';
import { consumers } from './consumers.ts';
import { packAll, type PackedPackages } from './pack.ts';
import { publish } from './publish.ts';
import { startServers } from './servers.ts';
import { printContents, printTable } from './table.ts';
import { problemsOf, readTarball } from './tarball.ts';

const run = promisify(execFile);
const [flag, ...words] = process.argv.slice(2);
const isDryRun = flag === '--dry-run';
if (flag !== undefined && !isDryRun) throw new Error(`Expected --dry-run or nothing, got ${flag}.`);

let failed = 0;
const folder = await mkdtemp(join(tmpdir(), 'sendonce-tarballs-'));
try {
  const packed = await check('builds and packs', async () => packAll(folder));
  if (packed && words.length === 0) await checkTarballs(packed);
  if (packed) await checkConsumers(packed);
  console.log(failed === 0 ? '\nAll checks passed.' : `\n${failed} checks failed.`);
  if (failed > 0) process.exitCode = 1;
  else if (!isDryRun) await publish(packed!);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function checkTarballs({ tarballs }: PackedPackages): Promise<void> {
  const read = await Promise.all(
    Object.entries(tarballs).map(async ([name, file]) => ({
      name,
      file,
      tarball: await readTarball(file),
    })),
  );
  for (const { name, tarball } of read) printContents(name, tarball);
  printTable(read);
  for (const { name, file, tarball } of read) {
    await check(`${name} has what it should and nothing else`, async () => {
      const problems = problemsOf(tarball);
      if (problems.length > 0) throw new Error(problems.join('\n'));
    });
    await check(`${name} passes publint`, async () => {
      await run(process.execPath, [bin('publint/src/cli.js'), '--strict', file]);
    });
    await check(`${name} has the right types for ESM (are-the-types-wrong)`, async () => {
      const attw = bin('@arethetypeswrong/cli/dist/index.js');
      await run(process.execPath, [attw, '--profile', 'esm-only', file]);
    });
  }
}

function bin(path: string): string {
  return join(root, 'node_modules', path);
}

async function checkConsumers(packed: PackedPackages): Promise<void> {
  const chosen = consumers.filter(({ name }) => words.every((word) => name.includes(word)));
  const { stop, ...servers } = await startServers();
  try {
    for (const { name, install, checks } of chosen) {
      console.log(`\n${name}`);
      const project = await check('installs', async () => install({ packed, servers }));
      if (project === undefined) continue;
      for (const { name: title, run: runCheck } of checks) {
        await check(title, async () => runCheck(project));
      }
      await project.remove();
    }
  } finally {
    await stop();
  }
}

async function check<T>(name: string, attempt: () => Promise<T>): Promise<T | undefined> {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  try {
    const result = await attempt();
    console.log(`  ok      ${seconds().padStart(7)}  ${name}`);
    return result;
  } catch (error) {
    failed += 1;
    const { message, stdout = '' } = error as Error & { stdout?: string };
    console.log(`  FAILED  ${seconds().padStart(7)}  ${name}\n${message}\n${stdout}`);
    return undefined;
  }
}
