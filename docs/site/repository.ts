import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Where readers find the source. */
export const repository = 'https://github.com/sendonce/sendonce';

/** The address of a file or folder of the repository on GitHub. */
export function sourceUrl(path: string, kind: 'blob' | 'tree' = 'blob'): string {
  return `${repository}/${kind}/main/${path}`;
}
