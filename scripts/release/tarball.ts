import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import { gunzipSync } from 'node:zlib';

export interface Tarball {
  /** Of the packed file, in bytes. */
  readonly size: number;
  /** The text of each file in it, by its path in the package. */
  readonly files: ReadonlyMap<string, string>;
}

/** Reads an npm package: a gzipped tar whose entries begin with `package/`. */
export async function readTarball(path: string): Promise<Tarball> {
  const bytes = gunzipSync(await readFile(path));
  const files = new Map<string, string>();
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0;) {
    const field = (from: number, length: number) =>
      bytes.toString('utf8', at + from, at + from + length).replace(/\0.*/s, '');
    const size = Number.parseInt(field(124, 12), 8);
    const prefix = field(345, 155);
    const name = join(prefix, field(0, 100));
    const isFile = ['', '0'].includes(field(156, 1));
    if (isFile) {
      files.set(name.replace(/^package\//, ''), bytes.toString('utf8', at + 512, at + 512 + size));
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return { size: (await stat(path)).size, files };
}

/**
 * What is wrong with the files of a package: each has a README, a LICENSE and a package.json; for
 * each module of `dist` its code, its types and the maps of both; in `src` what the maps name, and
 * nothing else.
 */
export function problemsOf({ files }: Tarball): string[] {
  const problems: string[] = [];
  const wanted = new Set(['README.md', 'LICENSE', 'package.json']);
  for (const path of files.keys()) {
    const [, module] = /^(dist\/.+)\.js$/.exec(path) ?? [];
    if (module === undefined) continue;
    for (const end of ['.js', '.js.map', '.d.ts', '.d.ts.map']) wanted.add(module + end);
    for (const end of ['.js.map', '.d.ts.map']) {
      for (const source of sourcesOf(module + end, files)) wanted.add(source);
    }
  }
  for (const path of wanted) if (!files.has(path)) problems.push(`${path} is missing`);
  for (const path of files.keys()) if (!wanted.has(path)) problems.push(`${path} is not wanted`);
  if (![...files].some(([path, text]) => path.endsWith('.d.ts') && text.includes('/**'))) {
    problems.push('the types have no docs');
  }
  return problems;
}

function sourcesOf(map: string, files: ReadonlyMap<string, string>): string[] {
  const { sources } = JSON.parse(files.get(map) ?? '{"sources":[]}') as { sources: string[] };
  return sources.map((source) => join(dirname(map), source));
}
