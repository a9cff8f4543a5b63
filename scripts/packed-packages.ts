import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';
import { packAll, type PackedPackages } from './release/pack.ts';

export { published } from './published.ts';
export type { PackedPackages } from './release/pack.ts';

/**
 * Builds and packs the published packages of this tree, once for all test files of a run.
 * The first caller does the work, the others wait for it.
 */
export async function packedPackages(): Promise<PackedPackages> {
  const folder = inject('packFolder');
  const result = join(folder, 'result.json');
  if (await isFirst(join(folder, 'lock'))) {
    const outcome = await packAll(folder).then(
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
