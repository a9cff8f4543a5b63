import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { published, readManifest } from '../published.ts';
import type { PackedPackages } from './pack.ts';

const run = promisify(execFile);

/**
 * Publishes the packed files to npm, dependencies first, with provenance. A version that npm has
 * already is skipped, so that a release that broke off can be run again.
 */
export async function publish({ tarballs }: PackedPackages): Promise<void> {
  if (process.env['GITHUB_ACTIONS'] !== 'true') {
    throw new Error('Only the workflow release.yml publishes. Did you mean --dry-run?');
  }
  for (const { name, version } of publishOrder()) {
    if (await isPublished(`${name}@${version}`)) {
      console.log(`${name}@${version} is on npm already.`);
      continue;
    }
    await run('npm', ['publish', tarballs[name]!, '--provenance', '--access', 'public']);
    console.log(`${name}@${version} published.`);
  }
}

/** Each package after those that it depends on. */
export function publishOrder(): { name: string; version: string }[] {
  const left = new Map(
    published.map((folder) => {
      const { name, version, dependencies = {} } = readManifest(`packages/${folder}`);
      return [name, { name, version, needs: Object.keys(dependencies) }] as const;
    }),
  );
  const sorted: { name: string; version: string }[] = [];
  while (left.size > 0) {
    const next = [...left.values()].find(({ needs }) => !needs.some((name) => left.has(name)));
    if (next === undefined) throw new Error(`A circle: ${[...left.keys()].join(', ')}`);
    left.delete(next.name);
    sorted.push(next);
  }
  return sorted;
}

async function isPublished(spec: string): Promise<boolean> {
  return run('npm', ['view', spec, 'version', '--json']).then(
    ({ stdout }) => stdout.trim() !== '',
    (error: { stdout: string }) => {
      if (error.stdout.includes('E404')) return false;
      throw error;
    },
  );
}
