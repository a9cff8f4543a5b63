import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** What has prose: by its extension, without generated files. */
const PROSE = /\.(md|ts|js|mjs|css|lua|sql)$|^docs\/observability\/.*\.yml$/;
const GENERATED = /(^|\/)(generated|dist)\//;

/** Paths of the files of the repository that have prose, relative to the root. */
export function proseFiles(): string[] {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  return git(...list)
    .split('\0')
    .filter(hasProse);
}

export function hasProse(path: string): boolean {
  return PROSE.test(path) && !GENERATED.test(path);
}

export function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 30 });
}
