import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import MarkdownIt from 'markdown-it';
import { repository, root, sourceUrl } from './repository.ts';

/** A link or an image of a Markdown file. */
export interface Link {
  /** The file, from the root of the repository. */
  readonly file: string;
  /** Where its paragraph begins, from 1. */
  readonly line: number;
  readonly href: string;
}

const markdown = new MarkdownIt({ html: true });

/** The links and images of a Markdown file, also those written in HTML. */
export function linksIn(file: string, text: string): Link[] {
  const links: Link[] = [];
  let line = 1;
  for (const block of markdown.parse(withoutFrontMatter(text), {})) {
    // A cell of a table does not say where it is, but its row does.
    if (block.map) line = block.map[0] + 1;
    for (const token of [block, ...(block.children ?? [])]) {
      const href = token.attrGet('href') ?? token.attrGet('src');
      const inHtml = token.type.startsWith('html_') ? hrefsInHtml(token.content) : [];
      for (const found of href === null ? inHtml : [href]) links.push({ file, line, href: found });
    }
  }
  return links;
}

/** Keeps the number of lines. */
function withoutFrontMatter(text: string): string {
  return text.replace(/^---\n[^]*?\n---\n/, (matter) => '\n'.repeat(matter.split('\n').length - 1));
}

function hrefsInHtml(html: string): string[] {
  return [...html.matchAll(/\b(?:href|src|srcset)="([^"]*)"/g)].map(([, href]) => href!);
}

/** The names that a link to the file can end with: those of its headings, as GitHub makes them. */
export function anchorsIn(text: string): Set<string> {
  const anchors = new Set<string>();
  const tokens = markdown.parse(withoutFrontMatter(text), {});
  for (const [index, token] of tokens.entries()) {
    if (token.type === 'heading_open') {
      const slug = slugify(textOf(tokens[index + 1]!.children ?? []));
      let unique = slug;
      for (let count = 1; anchors.has(unique); count += 1) unique = `${slug}-${count}`;
      anchors.add(unique);
    }
    for (const part of [token, ...(token.children ?? [])]) {
      if (!part.type.startsWith('html_')) continue;
      for (const [, id] of part.content.matchAll(/\b(?:id|name)="([^"]*)"/g)) anchors.add(id!);
    }
  }
  return anchors;
}

function textOf(tokens: readonly { readonly type: string; readonly content: string }[]): string {
  const shown = ['text', 'code_inline', 'text_special'];
  return tokens
    .filter(({ type }) => shown.includes(type))
    .map(({ content }) => content)
    .join('');
}

/** As GitHub does it, so that one anchor works there and on the site. */
export function slugify(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
}

/** What a link leads to: something of this repository, or undefined for the rest of the world. */
export function targetOf({
  file,
  href,
}: Pick<Link, 'file' | 'href'>):
  | { readonly path: string; readonly anchor: string | undefined }
  | undefined {
  const [address = '', anchor] = href.split('#', 2);
  const own = [`${repository}/blob/main/`, `${repository}/tree/main/`].find((start) =>
    address.startsWith(start),
  );
  if (own !== undefined) return { path: decodeURI(address.slice(own.length)), anchor };
  if (/^[a-z][a-z+.-]*:|^\/\//i.test(address)) return undefined;
  const path = address === '' ? file : join(dirname(file), decodeURI(address));
  return { path, anchor };
}

/** What is wrong with a link of a Markdown file; undefined for a good one. */
export function problemOf(link: Link): string | undefined {
  const target = targetOf(link);
  if (target === undefined) return undefined;
  const problem = problemOfTarget(link, target);
  return problem && `${link.file}:${link.line}: ${link.href} ${problem}`;
}

function problemOfTarget(
  { file, href }: Link,
  { path, anchor }: { readonly path: string; readonly anchor: string | undefined },
): string | undefined {
  if (path.startsWith('..')) return 'leads out of the repository';
  if (href.startsWith('/')) return 'begins with a slash, which GitHub does not know';
  if (path.startsWith('docs/api/') && !file.startsWith('docs/api/'))
    return 'leads to the generated reference, which is not on GitHub';
  if (!existsSync(join(root, path))) return 'does not exist';
  if (anchor === undefined || !path.endsWith('.md')) return undefined;
  return anchors(path).has(decodeURIComponent(anchor)) ? undefined : 'has no such heading';
}

const known = new Map<string, Set<string>>();

function anchors(path: string): Set<string> {
  const found = known.get(path) ?? anchorsIn(readFileSync(join(root, path), 'utf8'));
  known.set(path, found);
  return found;
}

/**
 * The address of a link of a page of `docs/` on the site: pages stay relative, and everything else
 * in the repository is on GitHub.
 */
export function siteHref(page: string, href: string): string {
  const file = `docs/${page}`;
  const target = targetOf({ file, href });
  if (target === undefined || href.startsWith('#')) return href;
  const { path, anchor } = target;
  const place = join(root, path);
  if (!existsSync(place)) return href;
  const hash = anchor === undefined ? '' : `#${anchor}`;
  const isFolder = statSync(place).isDirectory();
  const index = isFolder ? join(path, 'index.md') : path;
  if (index.startsWith('docs/') && index.endsWith('.md') && existsSync(join(root, index))) {
    const near = relative(dirname(file), index);
    return (near.startsWith('.') ? near : `./${near}`) + hash;
  }
  return sourceUrl(path, isFolder ? 'tree' : 'blob') + hash;
}

/**
 * HTML of a page, ready for the site. Its links are those of `siteHref()`. A `<picture>` with one
 * image for each colour scheme follows the switch of the site, where GitHub follows its own.
 */
export function siteHtml(page: string, html: string): string {
  return html
    .replaceAll(/<picture>([^]*?)<\/picture>/g, (whole, inner: string) => {
      const dark = /<source[^>]*prefers-color-scheme: dark[^>]*srcset="([^"]*)"/.exec(inner)?.[1];
      const image = /<img[^>]*>/.exec(inner)?.[0];
      if (dark === undefined || image === undefined) return whole;
      const light = image.replace('<img', '<img class="only-light"');
      return (
        light +
        image.replace('<img', '<img class="only-dark"').replace(/src="[^"]*"/, `src="${dark}"`)
      );
    })
    .replaceAll(/\bhref="([^"]*)"/g, (_, href: string) => `href="${siteHref(page, href)}"`)
    .replaceAll(
      /\b(src|srcset)="(?![a-z]+:|\.|\/)([^"]*)"/g,
      (_, name: string, path: string) => `${name}="./${path}"`,
    );
}
