import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inject } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
const run = promisify(execFile);

/** The folders of the packages that are published. */
export const published = [
  'core',
  'redis',
  'redlock',
  'postgres',
  'ledger-tests',
  'bullmq',
  'mail',
  'otel',
  'dashboard',
  'cli',
] as const;

export interface PackedPackages {
  /** The path of the program. `npx pnpm` would take a second at each call. */
  readonly pnpm: string;
  /** The path of the packed file of each published package, by the name of the package. */
  readonly tarballs: Readonly<Record<string, string>>;
}

/**
 * Builds and packs the published packages of this tree, once for all test files of a run.
 * The first caller does the work, the others wait for it.
 */
export async function packedPackages(): Promise<PackedPackages> {
  const folder = inject('packFolder');
  const result = join(folder, 'result.json');
  if (await isFirst(join(folder, 'lock'))) {
    const outcome = await pack(folder).then(
      (packed) => ({ packed }),
      (error: Error & { stdout?: string }) => ({ failed: `${error.message}\n${error.stdout}` }),
    );
    // Renamed, so that a reader sees all of it or nothing.
    await writeFile(`${result}.new`, JSON.stringify(outcome));
    await rename(`${result}.new`, result);
  }
  return readResult(result);
}

async function isFirst(lock: string): Promise<boolean> {
  return mkdir(lock).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
}

async function pack(folder: string): Promise<PackedPackages> {
  const which = ['--yes', '--package', 'pnpm', '-c', 'command -v pnpm'];
  const pnpm = (await run('npx', which, { cwd: root })).stdout.trim();
  // An install beside the other tests would replace files under their feet.
  const env = { ...process.env, pnpm_config_verify_deps_before_run: 'false' };
  const filters = published.map((name) => `--filter=./packages/${name}`);
  await run(pnpm, ['-r', ...filters, 'run', 'build'], { cwd: root, env });
  await run(pnpm, ['-r', ...filters, 'pack', '--pack-destination', folder], { cwd: root, env });
  const { version } = JSON.parse(
    await readFile(join(root, 'packages/core/package.json'), 'utf8'),
  ) as { version: string };
  const tarballs = Object.fromEntries(
    published.map((directory) => {
      // The command line is the package `sendonce`, so that `npx sendonce` is ours.
      const name = directory === 'cli' ? 'sendonce' : `@sendonce/${directory}`;
      const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
      return [name, join(folder, file)];
    }),
  );
  return { pnpm, tarballs };
}

async function readResult(file: string): Promise<PackedPackages> {
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) {
      await sleep(100);
      continue;
    }
    const outcome = JSON.parse(text) as { packed: PackedPackages } | { failed: string };
    if ('packed' in outcome) return outcome.packed;
    throw new Error(`The packages could not be built and packed: ${outcome.failed}`);
  }
}
