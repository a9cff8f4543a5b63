import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './page.ts';

export const folder = join(root, 'docs/errors');

/** The block of a page that has the message as it is printed. */
export const messageBlock = /## The message\n\n```text\n([^]*?)\n```\n/;

/** The page of an error or warning: `in-doubt.md` of `SENDONCE_IN_DOUBT`. */
export function pageOf(code: string): string {
  return join(folder, `${nameOf(code)}.md`);
}

export function nameOf(code: string): string {
  return code
    .replace(/^SENDONCE_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}

/** The message that a page shows, on one line. */
export function messageOf(page: string): string {
  return (messageBlock.exec(page)?.[1] ?? '').replaceAll('\n', ' ');
}

/** Variables of the environment: of the command line, and of the tests of a ledger. */
const environment = /_(TESTKIT_\w+|REDIS|QUEUE_PREFIX|SAMPLE|SEED|PATH|RUNS)$/;

/** All codes of errors and warnings in the sources of the packages. */
export function codesInSources(): string[] {
  const packages = readdirSync(join(root, 'packages'));
  const files = packages.flatMap((name) => sourceFiles(join(root, 'packages', name, 'src')));
  const codes = files.flatMap(
    (file) => readFileSync(file, 'utf8').match(/\bSENDONCE_[A-Z_]+\b/g) ?? [],
  );
  return [...new Set(codes)].filter((code) => !environment.test(code)).toSorted();
}

function sourceFiles(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(path, name));
}
