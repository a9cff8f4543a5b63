import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Where readers find the source, from the one place that says it. */
export const { repository } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  readonly repository: string;
};

/** The address of a file or folder of the repository on GitHub. */
export function sourceUrl(path: string, kind: 'blob' | 'tree' = 'blob'): string {
  return `${repository}/${kind}/main/${path}`;
}
