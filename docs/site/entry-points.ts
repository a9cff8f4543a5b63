import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './repository.ts';

/** Something that a user can import: a published package, or a subpath of one. */
export interface EntryPoint {
  /** What the user writes after `from`. */
  readonly specifier: string;
  readonly description: string;
  /** The folder of the package below `packages/`. */
  readonly folder: string;
  /** Its source file, from the root of the repository. */
  readonly source: string;
}

interface Manifest {
  readonly name: string;
  readonly description: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string>>;
}

/** A package has one description, for all its entry points. */
const descriptions: Readonly<Record<string, string>> = {
  './ledger': 'For those who write a ledger, or wrap one.',
  './inspect': 'For those who show what the ledger and the journal hold.',
  './testing': 'For the unit tests of your processors.',
};

/**
 * `./internal` and `./mail` are published because our own packages import them. They are no part of
 * the public API.
 */
const notPublic = ['./internal', './mail', './package.json'];

/** The entry points of every published package, read from the package.json files. */
export function entryPoints(): EntryPoint[] {
  return readdirSync(join(root, 'packages')).flatMap((folder) => {
    const { name, description, exports = {}, ...rest } = readManifest(folder);
    if (rest.private) return [];
    return Object.entries(exports)
      .filter(([subpath]) => !notPublic.includes(subpath))
      .map(([subpath, target]) => ({
        specifier: name + subpath.slice(1),
        description: descriptions[subpath] ?? description,
        folder,
        source: join('packages', folder, target),
      }));
  });
}

function readManifest(folder: string): Manifest {
  const file = join(root, 'packages', folder, 'package.json');
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
}
