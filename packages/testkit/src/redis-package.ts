import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** `$XDG_CACHE_HOME/sendonce`, or `~/.cache/sendonce`. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sendonce');
}

/** The path with the home folder written as `~`. */
export function tildePath(path: string): string {
  return path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path;
}

export interface UnpackedRedis {
  binary: string;
  env: Record<string, string>;
  /** "Debian", "Ubuntu", … */
  distribution: string;
  folder: string;
}

type Check = (binary: string, env: Record<string, string>) => Promise<unknown>;

/**
 * Unpacks the distribution's Redis (or Valkey) and its libraries into the cache folder, or finds it
 * there.
 *
 * Needs apt-get and dpkg-deb, no root and no package lists: apt gets its own folders, so the system
 * is not changed. Two processes may do it at once; the folder appears complete or not at all.
 * Downloads about 30 MB the first time (mostly package lists, deleted afterwards), 2 to 20 s.
 */
export async function unpackDistributionRedis(check: Check): Promise<UnpackedRedis> {
  const { distribution, key } = await readDistribution();
  const folder = join(cacheFolder(), `redis-${key}-${process.arch}`);
  const kept = await inspect(folder, check);
  if (typeof kept === 'object') return { ...kept, distribution, folder };

  const workFolder = await makeWorkFolder();
  try {
    // Unpacked for an older state of this system, or damaged by hand. Where nothing was, nothing is
    // removed: another process may have put its copy there in the meantime.
    if (kept !== nothingThere) await rename(folder, join(workFolder, 'damaged')).catch(() => {});
    const reasons: string[] = [];
    for (const name of ['redis-server', 'valkey-server']) {
      const root = join(workFolder, name);
      try {
        await unpack(name, root, workFolder);
      } catch (error) {
        reasons.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        continue;
      }
      const unpacked = await inspect(root, check);
      if (typeof unpacked === 'string') {
        reasons.push(`${name}: ${unpacked}`);
        continue;
      }
      await moveInto(root, folder);
      const moved = await inspect(folder, check);
      if (typeof moved === 'string') throw new Error(moved);
      return { ...moved, distribution, folder };
    }
    throw new Error(reasons.join('; '));
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

async function readDistribution() {
  const text = await readFile('/etc/os-release', 'utf8');
  const value = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  const distribution = value('NAME').split(' ')[0] || 'distribution';
  return {
    distribution,
    key: `${value('ID')}-${value('VERSION_ID') || value('VERSION_CODENAME')}`,
  };
}

async function makeWorkFolder() {
  await mkdir(cacheFolder(), { recursive: true });
  // Beside its goal, since rename does not cross file systems.
  const folder = await mkdtemp(join(cacheFolder(), 'unpacking-'));
  for (const name of ['lists/partial', 'cache/archives/partial', 'debs']) {
    await mkdir(join(folder, name), { recursive: true });
  }
  return folder;
}

async function unpack(name: string, root: string, workFolder: string): Promise<void> {
  const options = [
    ['-o', `Dir::State::lists=${join(workFolder, 'lists')}`],
    ['-o', `Dir::Cache=${join(workFolder, 'cache')}`],
    // Root's apt would drop to a user who cannot read our folder.
    ['-o', 'APT::Sandbox::User=root'],
    ['-o', 'Acquire::Retries=2'],
  ].flat();
  const apt = (command: string, args: string[], cwd = workFolder) =>
    run(command, [...options, ...args], {
      cwd,
      env: { ...process.env, LC_ALL: 'C' },
      timeout: 180_000,
      maxBuffer: 64 * 1024 * 1024,
    });

  if ((await readdir(join(workFolder, 'lists'))).length <= 1) {
    // A hook of the distribution may fail here without root; the download below tells whether it
    // mattered.
    await apt('apt-get', ['update', '-qq']).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw new Error('no apt-get here');
    });
  }
  const debs = join(workFolder, 'debs', name);
  await mkdir(debs, { recursive: true });
  const packages = await withLibraries(name, (names) => apt('apt-cache', ['depends', ...names]));
  await apt('apt-get', ['download', '-qq', ...packages], debs);
  for (const file of await readdir(debs)) {
    await run('dpkg-deb', ['-x', join(debs, file), root]);
  }
}

// On every system that has apt; another C library would not work with its loader.
const alwaysThere = /^(libc6|libgcc-s1|libcrypt1|libc-bin)(:|$)/;

/** The server's packages and the shared libraries they need, transitively. */
async function withLibraries(
  server: string,
  depends: (names: string[]) => Promise<{ stdout: string }>,
): Promise<string[]> {
  const wanted = new Set<string>();
  let level = [server];
  while (level.length > 0) {
    for (const name of level) wanted.add(name);
    const { stdout } = await depends(level);
    // "|Depends" opens a list of alternatives, the first is the usual one.
    const lines = stdout.split('\n');
    level = lines
      .filter((_line, i) => !/^ *\|/.test(lines[i - 1] ?? ''))
      .map((line) => /^[ |]+(?:Pre)?Depends: ([^<\s]+)/.exec(line)?.[1] ?? '')
      .filter((name) => /^lib|^(redis|valkey)-tools/.test(name) && !alwaysThere.test(name))
      .filter((name) => !wanted.has(name));
  }
  return [...wanted];
}

const nothingThere = 'no program in the package';

/** Where the program and its libraries are, or why they cannot be used. */
async function inspect(
  root: string,
  check: Check,
): Promise<Omit<UnpackedRedis, 'distribution' | 'folder'> | string> {
  const libraries: string[] = [];
  for (const parent of ['usr/lib', 'lib']) {
    const entries = await readdir(join(root, parent), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.isDirectory() && entry.name.includes('-linux-'))
        libraries.push(join(root, parent, entry.name));
    }
  }
  const env = { LD_LIBRARY_PATH: libraries.join(':') };
  let reason = nothingThere;
  for (const name of ['redis-server', 'valkey-server']) {
    const binary = join(root, 'usr/bin', name);
    try {
      await access(binary);
      await check(binary, env);
      return { binary, env };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') reason = String(error);
    }
  }
  return reason;
}

async function moveInto(root: string, folder: string): Promise<void> {
  await rename(root, folder).catch((error: NodeJS.ErrnoException) => {
    // Another process was faster; its copy is as good.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
}
