import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const CORE = 'packages/core';

export interface Compiler extends AsyncDisposable {
  /** Whether core compiles when one of its files has this source. */
  readonly accepts: (path: string, source: string) => Promise<boolean>;
}

/**
 * TypeScript on a copy of core: what it refuses cannot be published, so that no test has to notice
 * it.
 */
export async function createCompiler(): Promise<Compiler> {
  const folder = await mkdtemp(join(tmpdir(), 'sendonce-compile-'));
  await mkdir(join(folder, CORE), { recursive: true });
  for (const path of ['tsconfig.base.json', `${CORE}/tsconfig.json`, `${CORE}/package.json`]) {
    await cp(path, join(folder, path));
  }
  await cp(`${CORE}/src`, join(folder, CORE, 'src'), { recursive: true });
  for (const path of ['node_modules', `${CORE}/node_modules`]) {
    await symlink(resolve(path), join(folder, path), 'junction');
  }
  const compile = () => {
    const tsc = ['node_modules/typescript/bin/tsc', '--noEmit', '-p', join(folder, CORE)];
    return spawnSync(process.execPath, tsc, { encoding: 'utf8' });
  };
  const { status, stdout } = compile();
  if (status !== 0) throw new Error(`core does not compile. No mutant was judged.\n${stdout}`);
  return {
    accepts: async (path, source) => {
      const original = await readFile(join(folder, path), 'utf8');
      await writeFile(join(folder, path), source);
      const isAccepted = compile().status === 0;
      await writeFile(join(folder, path), original);
      return isAccepted;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
