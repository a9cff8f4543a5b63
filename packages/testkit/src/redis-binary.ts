import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, tildePath, unpackDistributionRedis } from './redis-package.ts';

const run = promisify(execFile);

export interface RedisBinary {
  /** The path of redis-server or valkey-server. */
  binary: string;
  /** What the process needs in its environment beside ours. */
  env: Record<string, string>;
  /** Such as "Redis 7.0.15, redis-server on PATH". */
  how: string;
}

/** A way to something, with the name that an error message gives it. */
export type Way<T> = [way: string, find: () => Promise<T>];

const onPathWay: Way<RedisBinary> = ['redis-server or valkey-server on PATH', onPath];
const downloadWays: Way<RedisBinary>[] = [
  ['the distribution package, unpacked', fromPackage],
  ['redis-memory-server (compiles Redis)', compiled],
];

/** The ways to a program that only look, and those that may download. */
export const binaryWays = { onPath: onPathWay, download: downloadWays };

let found: Promise<RedisBinary> | undefined;

/**
 * Finds a Redis that can be started: on PATH, from the distribution's package, or compiled by
 * redis-memory-server. The answer is kept for the life of this process.
 *
 * Throws an error with the code `NO_REDIS_BINARY` when there is none.
 */
export async function findRedisBinary(): Promise<RedisBinary> {
  found ??= firstThatWorks('No redis-server program was found.', [onPathWay, ...downloadWays]);
  return found;
}

/** Tries the ways in turn. Throws one error that tells why each failed and what to do. */
export async function firstThatWorks<T>(headline: string, ways: Way<T>[]): Promise<T> {
  const failures: string[] = [];
  for (const [way, find] of ways) {
    try {
      return await find();
    } catch (error) {
      failures.push(`  - ${way}: ${reasonOf(error)}`);
    }
  }
  throw Object.assign(new Error([`${headline} Tried:`, ...failures, advice].join('\n')), {
    code: 'NO_REDIS_BINARY',
  });
}

const advice = `Set REDIS_URL to a Redis or Valkey that tests may write to (each run uses its own key prefix),
or install one: apt-get install redis-server, brew install valkey, or start Docker.`;

async function onPath(): Promise<RedisBinary> {
  const reasons: string[] = [];
  for (const name of ['redis-server', 'valkey-server']) {
    try {
      return { binary: name, env: {}, how: `${await serverVersion(name)}, ${name} on PATH` };
    } catch (error) {
      reasons.push(reasonOf(error));
    }
  }
  throw new Error(reasons.join('; '));
}

async function fromPackage(): Promise<RedisBinary> {
  const { binary, env, distribution, folder } = await unpackDistributionRedis((path, libraries) =>
    serverVersion(path, libraries),
  );
  const version = await serverVersion(binary, env);
  return {
    binary,
    env,
    how: `${version}, ${distribution} package unpacked into ${tildePath(folder)}`,
  };
}

async function compiled(): Promise<RedisBinary> {
  const downloadDir = join(cacheFolder(), 'redis-memory-server');
  await mkdir(downloadDir, { recursive: true });
  const { RedisBinary: Compiler } = await import('redis-memory-server');
  const binary = await Compiler.getPath({ downloadDir });
  return {
    binary,
    env: {},
    how: `${await serverVersion(binary)}, compiled into ${tildePath(downloadDir)}`,
  };
}

/** "Redis 7.0.15" or "Valkey 8.1.1"; rejects when the program does not run. */
async function serverVersion(binary: string, env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await run(binary, ['--version'], {
    env: { ...process.env, ...env },
    timeout: 10_000,
  });
  const match = /(redis|valkey)\b.*?v=([\w.]+)/i.exec(stdout);
  if (!match) throw new Error(`${binary} --version says: ${stdout.trim()}`);
  return `${match[1]?.toLowerCase() === 'valkey' ? 'Valkey' : 'Redis'} ${match[2]}`;
}

/** The first two lines that say something. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const lines = text.split('\n').map((line) => line.trim());
  return (
    lines
      .filter((line) => line !== '')
      .slice(0, 2)
      .join(' ') || 'unknown'
  ).slice(0, 300);
}
