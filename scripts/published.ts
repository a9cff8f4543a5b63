import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../', import.meta.url));

/** What the scripts read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly private?: boolean;
  readonly files?: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(`${root}${folder}/package.json`, 'utf8')) as Manifest;
}

const folders = readdirSync(`${root}packages`);

/** The folders of the packages that are published: those whose package.json is not private. */
export const published: readonly string[] = folders.filter(
  (name) => readManifest(`packages/${name}`).private !== true,
);

/**
 * The version of each package outside of this repository that the packages and the docs are tested
 * with, by its name. Aliases such as `bullmq5` are left out.
 */
export function testedVersions(): Map<string, string> {
  const manifests = ['', 'docs', ...folders.map((name) => `packages/${name}`)].map(readManifest);
  const entries = manifests.flatMap(({ devDependencies = {} }) => Object.entries(devDependencies));
  return new Map(entries.filter(([, version]) => /^\d/.test(version)));
}
