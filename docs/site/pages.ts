import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './repository.ts';

export const docs = join(root, 'docs');

/** A page of the documentation. */
export interface Page {
  /** Its path inside `docs/`. */
  readonly path: string;
  readonly title: string;
}

export interface Section {
  readonly title: string;
  readonly pages: readonly Page[];
  /** Whether the sidebar hides its pages, but for the first. */
  readonly collapsed: boolean;
}

/**
 * A page with the title that the sidebar shows, or a folder whose pages show their own headings.
 */
type Entry = readonly [path: string, title: string] | { readonly folder: string };

const list: readonly { title: string; entries: readonly Entry[]; collapsed?: boolean }[] = [
  {
    title: 'Start',
    entries: [
      ['index.md', 'What sendonce does'],
      ['quickstart.md', 'Quickstart'],
      ['guide.md', 'Guide'],
      ['concepts.md', 'Concepts'],
      ['ledgers.md', 'Choose a ledger'],
      ['delayed-emails.md', 'Delayed emails'],
      ['providers.md', 'Providers and SDKs'],
      ['testing.md', 'Testing'],
    ],
  },
  {
    title: 'Recipes',
    entries: [
      ['recipes/express.md', 'Express'],
      ['recipes/fastify.md', 'Fastify'],
      ['recipes/nest.md', 'NestJS'],
      ['recipes/nestjs-mailer.md', '@nestjs-modules/mailer'],
      ['recipes/nextjs.md', 'Next.js'],
      ['recipes/serverless.md', 'Serverless'],
      ['recipes/templates.md', 'React Email, MJML, Handlebars'],
      ['from-celery.md', 'Coming from Celery'],
    ],
  },
  {
    title: 'In production',
    entries: [
      ['production.md', 'Production checklist'],
      ['operate.md', 'Operate'],
      ['time-settings.md', 'Time settings'],
      ['upgrading.md', 'Upgrading'],
      ['security.md', 'Security'],
      ['privacy.md', 'Privacy'],
    ],
  },
  {
    title: 'Errors and warnings',
    entries: [['errors/index.md', 'Troubleshooting'], { folder: 'errors' }],
    collapsed: true,
  },
  {
    title: 'Decide',
    entries: [
      ['guarantees.md', 'Guarantees'],
      ['when-twice.md', 'When an email can be sent twice'],
      ['comparison.md', 'Comparison'],
      ['peers.md', 'The peers in the same harness'],
      ['under-fire.md', 'Under fire'],
      ['benchmarks.md', 'Benchmarks'],
      ['faq.md', 'Questions'],
      ['glossary.md', 'Glossary'],
    ],
  },
  {
    title: 'Decisions',
    entries: [
      ['decisions/README.md', 'All decisions'],
      ['decisions/index.md', 'All decisions'],
      { folder: 'decisions' },
    ],
    collapsed: true,
  },
];

/** The sections of the sidebar, with the pages that exist. */
export function sections(): Section[] {
  return list
    .map(({ title, entries, collapsed = false }) => ({
      title,
      collapsed,
      pages: entries.flatMap(expand).filter(isFirst),
    }))
    .filter(({ pages }) => pages.length > 0);
}

function expand(entry: Entry): Page[] {
  if (!('folder' in entry)) {
    const [path, title] = entry;
    return existsSync(join(docs, path)) ? [{ path, title }] : [];
  }
  return markdownFiles(join(docs, entry.folder))
    .map((file) => relative(docs, file))
    .map((path) => ({ path, title: headingOf(path) }));
}

function isFirst({ path }: Page, index: number, pages: readonly Page[]): boolean {
  return pages.findIndex((other) => other.path === path) === index;
}

/** The text of the first heading, without Markdown's marks. */
export function headingOf(path: string): string {
  const heading = /^# (.+)$/m.exec(readFileSync(join(docs, path), 'utf8'))?.[1];
  if (heading === undefined) throw new Error(`docs/${path} has no heading of the first level.`);
  return heading.replaceAll('`', '');
}

/**
 * The Markdown files in a folder and below, sorted; not those of dependencies and hidden folders.
 */
export function markdownFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.') && !['node_modules', 'dist'].includes(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return markdownFiles(path);
      return entry.name.endsWith('.md') ? [path] : [];
    })
    .toSorted();
}

/** The committed pages: all of `docs/` but the generated reference. */
export function committedPages(): string[] {
  return markdownFiles(docs)
    .map((file) => relative(docs, file))
    .filter((path) => !path.startsWith('api/'));
}
