import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { published, readManifest, root } from '../published.ts';

const run = promisify(execFile);

export interface PackedPackages {
  /** The path of the program. `npx pnpm` would take a second at each call. */
  readonly pnpm: string;
  /** The path of the packed file of each published package, by the name of the package. */
  readonly tarballs: Readonly<Record<string, string>>;
}

/** Builds the published packages from nothing and packs them into the folder. */
export async function packAll(folder: string): Promise<PackedPackages> {
  const which = ['--yes', '--package', 'pnpm', '-c', 'command -v pnpm'];
  const pnpm = (await run('npx', which, { cwd: root })).stdout.trim();
  // An install beside the other tests would replace files under their feet.
  const env = { ...process.env, pnpm_config_verify_deps_before_run: 'false' };
  const filters = published.map((name) => `--filter=./packages/${name}`);
  // What an earlier build left would be packed as well.
  for (const name of published) {
    await rm(join(root, 'packages', name, 'dist'), { recursive: true, force: true });
  }
  await run(pnpm, ['-r', ...filters, 'run', 'build'], { cwd: root, env });
  await run(pnpm, ['-r', ...filters, 'pack', '--pack-destination', folder], { cwd: root, env });
  const tarballs = published.map((name) => {
    const manifest = readManifest(`packages/${name}`);
    const file = manifest.name.replace('@', '').replace('/', '-');
    return [manifest.name, join(folder, `${file}-${manifest.version}.tgz`)] as const;
  });
  return { pnpm, tarballs: Object.fromEntries(tarballs) };
}
